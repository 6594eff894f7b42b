// One of the processes of embedded-kills.mjs: registers, works a little all the time, and tells every count that it sees.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DiscoveryClient, DiscoveryModule, embedded, Registrar } from 'nest-rookery/discovery';

const [port] = process.argv.slice(2);

class AppModule {}
Module({
  imports: [DiscoveryModule.forRoot({ name: 'orders', backend: embedded({ port: Number(port) }) })],
})(AppModule);

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
app.get(Registrar).start(3_000);
const client = app.get(DiscoveryClient);
client.onChange('orders', ({ instances, stale }) => process.send([instances.length, stale]));
// The load: a tenth of a core in each process.
setInterval(() => {
  for (const end = performance.now() + 2; performance.now() < end;);
}, 20);
process.on('disconnect', () => process.exit());
