// An instance of "shop", which can be told over IPC to be slow, to fail, or to have little capacity.
import 'reflect-metadata';
import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Get, HttpException, Module, Post, Req } from '@nestjs/common';
import { RookeryModule, startService } from 'nest-rookery';

const { LEDGER, ADVERTISED } = process.env;
let mode = { kind: 'well' };
let served = 0;
let busy = Promise.resolve();

class ShopController {
  async item() {
    served++;
    if (mode.kind === 'slow') await pause(mode.ms);
    if (mode.kind === 'failing' && Math.random() < mode.rate)
      throw new HttpException('no', mode.status);
    if (mode.kind === 'narrow') {
      // One thing at a time, like a database connection: what comes meanwhile waits.
      const turn = busy.then(() => pause(mode.ms));
      busy = turn;
      await turn;
    }
    return String(process.pid);
  }

  order(request) {
    // Written before the answer, so that a killed instance has not done in secret what it did.
    appendFileSync(LEDGER, `${request.headers['x-order']}\n`);
    return 'ok';
  }
}
const define = (decorator, name) =>
  decorator(
    ShopController.prototype,
    name,
    Object.getOwnPropertyDescriptor(ShopController.prototype, name),
  );
define(Get('item'), 'item');
define(Post('orders'), 'order');
Req()(ShopController.prototype, 'order', 0);
Controller('shop')(ShopController);

class AppModule {}
Module({
  imports: [
    RookeryModule.forRoot({
      name: 'shop',
      config: false,
      discovery: ADVERTISED === undefined ? {} : { port: Number(ADVERTISED) },
    }),
  ],
  controllers: [ShopController],
})(AppModule);

const app = await startService(AppModule, { port: 0, host: '127.0.0.1' });
process.on('message', ({ id, become, report }) => {
  if (become !== undefined) mode = become;
  const value = report ? served : undefined;
  process.send?.({ id, value });
});
process.channel?.unref();
process.send?.({ port: app.getHttpServer().address().port });
