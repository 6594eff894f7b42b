// One of three services in a row: ROLE says which, NEXT whom it calls.
import 'reflect-metadata';
import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Get, HttpException, Inject, Module } from '@nestjs/common';
import { RequestContext, RookeryModule, ServiceClient, startService } from 'nest-rookery';

const { ROLE, NEXT } = process.env;
let mode = { kind: 'well' };
let calls = 0;
/** How long after a request began its last step came, over all requests, in ms. */
let latest = 0;

class ChainController {
  constructor(client, context) {
    Object.assign(this, { client, context });
  }

  async work() {
    calls++;
    const began = performance.now();
    if (mode.kind === 'failing') throw new HttpException('no', mode.status);
    if (mode.kind === 'slow') await this.#steps(began);
    if (NEXT !== '') {
      try {
        await this.client.get(NEXT, '/work');
      } catch (error) {
        latest = Math.max(latest, performance.now() - began);
        throw new HttpException(error.message, error.remoteStatus ?? error.statusCode ?? 502);
      }
    }
    if (mode.kind !== 'well') latest = Math.max(latest, performance.now() - began);
    return ROLE;
  }

  /** Work in steps of 20 ms that looks at its signal, as work that can be given up does. */
  async #steps(began) {
    const { signal } = this.context;
    while (performance.now() - began < mode.ms) {
      if (signal?.aborted) throw new HttpException('late', 504);
      latest = Math.max(latest, performance.now() - began);
      await pause(20);
    }
  }
}
Get('work')(
  ChainController.prototype,
  'work',
  Object.getOwnPropertyDescriptor(ChainController.prototype, 'work'),
);
Inject(ServiceClient)(ChainController, undefined, 0);
Inject(RequestContext)(ChainController, undefined, 1);
Controller()(ChainController);

class AppModule {}
Module({
  imports: [RookeryModule.forRoot({ name: ROLE, config: false })],
  controllers: [ChainController],
})(AppModule);

const app = await startService(AppModule, { port: 0, host: '127.0.0.1' });
process.on('message', ({ id, become, report }) => {
  if (become !== undefined) mode = become;
  process.send?.({ id, value: report ? { role: ROLE, calls, latest } : undefined });
});
process.channel?.unref();
process.send?.({ port: app.getHttpServer().address().port });
