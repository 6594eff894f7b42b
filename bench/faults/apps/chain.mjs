// One of three services in a row: ROLE says which, NEXT whom it calls.
import 'reflect-metadata';
import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Get, HttpException, Inject, Module } from '@nestjs/common';
import { Circuits, RequestContext, RookeryModule, ServiceClient, startService } from 'nest-rookery';

const { ROLE, NEXT } = process.env;
let mode = { kind: 'well' };
let calls = 0;
/** When the last thing happened here after its request came to the front, over all requests, in ms of the front. */
const latest = { work: 0, end: 0 };

/** Ms of a clock that all processes of this machine share. */
const sharedNow = () => Number(process.hrtime.bigint()) / 1e6;

class ChainController {
  constructor(client, context) {
    Object.assign(this, { client, context });
  }

  async work() {
    calls++;
    const began = this.#began();
    note('work', began);
    if (mode.kind === 'failing' && Math.random() < mode.rate)
      throw new HttpException('no', mode.status);
    try {
      if (mode.kind === 'slow') await this.#steps(began);
      if (NEXT !== '')
        await this.client.get(NEXT, '/work', {
          // Each request is to be a call, and not to share that of another.
          coalesce: false,
          headers: began === undefined ? {} : { 'x-began': String(began) },
        });
      return ROLE;
    } catch (error) {
      if (error.getStatus?.() === 504) throw error;
      throw new HttpException(error.message, error.remoteStatus ?? error.statusCode ?? 502);
    } finally {
      note('end', began);
    }
  }

  /** When the front was asked; it knows that by the time that is left. */
  #began() {
    const { current, timeLeft } = this.context;
    const told = current?.headers?.['x-began'];
    if (told !== undefined) return Number(told);
    const granted = Number(current?.headers?.['x-rookery-deadline']);
    return timeLeft === undefined ? undefined : sharedNow() - (granted - timeLeft);
  }

  /** Work in steps of 20 ms that ends when it is not wanted any more, as work that can be given up does. */
  async #steps(began) {
    const started = performance.now();
    while (performance.now() - started < mode.ms) {
      const { signal } = this.context;
      if (signal?.aborted) throw new HttpException('late', 504);
      note('work', began);
      await pause(20, undefined, { signal }).catch(() => {});
    }
  }
}

function note(what, began) {
  if (began !== undefined) latest[what] = Math.max(latest[what], sharedNow() - began);
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
process.on('message', ({ id, become, report, circuits }) => {
  if (become !== undefined) mode = become;
  for (const circuit of app.get(Circuits).all()) {
    if (circuits === 'disabled') circuit.disable();
    else if (circuits === 'closed') circuit.forceClose();
  }
  process.send?.({ id, value: report ? { role: ROLE, calls, latest } : undefined });
});
process.channel?.unref();
process.send?.({ port: app.getHttpServer().address().port });
