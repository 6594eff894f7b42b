// A gateway with metrics, and the service behind it in the same process; says what it holds when it is asked.
import 'reflect-metadata';
import { createServer } from 'node:http';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RookeryModule } from 'nest-rookery';
import { staticInstances } from 'nest-rookery/discovery';
import { Metrics } from 'nest-rookery/telemetry';

const upstream = createServer((request, response) => {
  request.resume();
  response.end('ok');
});
await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));

class OrdersController {
  find(id) {
    return id;
  }
}
Controller('orders')(OrdersController);
Param('id')(OrdersController.prototype, 'find', 0);
Get(':id')(
  OrdersController.prototype,
  'find',
  Object.getOwnPropertyDescriptor(OrdersController.prototype, 'find'),
);

class AppModule {}
Module({
  imports: [
    RookeryModule.forRoot({
      name: 'hostile',
      config: false,
      metrics: true,
      discovery: {
        backend: staticInstances({ items: [`http://127.0.0.1:${upstream.address().port}`] }),
      },
      gateway: { routes: [{ path: '/api/{*rest}', to: 'items' }] },
    }),
  ],
  controllers: [OrdersController],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');

process.on('message', () => void tell());

async function tell() {
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve, 200));
  globalThis.gc();
  const { body } = await app.get(Metrics).page();
  const series = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const { heapUsed, rss } = process.memoryUsage();
  process.send({ series: series.map((line) => line.replace(/ [^ ]*$/, '')), heapUsed, rss });
}
process.on('disconnect', () => process.exit());
process.send({ port: app.getHttpServer().address().port });
