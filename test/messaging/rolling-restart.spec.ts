import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { embedded } from '../../lib/discovery/backends/embedded.backend.js';
import { DiscoveryClient } from '../../lib/discovery/discovery-client.js';
import { DiscoveryModule } from '../../lib/discovery/discovery.module.js';
import type { DiscoveryClientProxy } from '../../lib/messaging/discovery-client-proxy.js';
import { getClientToken } from '../../lib/messaging/inject-client.decorator.js';
import { MessagingModule } from '../../lib/messaging/messaging.module.js';
import { freePort } from '../discovery/backends/support/backend-fixtures.js';
import { eventually } from '../support/eventually.js';

const PROGRAM = new URL('./ledger-process.ts', import.meta.url);
const TYPESCRIPT = new URL('../discovery/backends/support/typescript.mjs', import.meta.url);

const children: ChildProcess[] = [];
let app: INestApplication | undefined;

afterEach(async () => {
  await app?.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(port: number, self: string): ChildProcess {
  const child = fork(PROGRAM, [String(port), self], {
    execArgv: ['--no-warnings', '--import', TYPESCRIPT.href],
  });
  children.push(child);
  return child;
}

async function caller(port: number) {
  const host = '127.0.0.1';
  @Module({
    imports: [
      DiscoveryModule.forRoot({ name: 'orders', host, backend: embedded({ port }) }),
      MessagingModule.forRoot(),
      MessagingModule.forFeature(['ledger']),
    ],
  })
  class OrdersModule {}
  app = await NestFactory.create(OrdersModule, { logger: false });
  await app.listen(0, host);
  const ledger = app.get<DiscoveryClientProxy>(getClientToken('ledger'));
  return { ledger, discovery: app.get(DiscoveryClient) };
}

describe('a service that takes messages only', () => {
  it('fails no message while every instance is restarted under load', async () => {
    const port = await freePort();
    const { ledger, discovery } = await caller(port);
    const seen = (count: number) =>
      eventually(() => expect(discovery.instances('ledger')).toHaveLength(count), 20_000);
    const running = ['a1', 'b1'].map((self) => start(port, self));
    await seen(2);
    const answers = new Map<string, number>();
    const failures: unknown[] = [];
    const state = { on: true };
    const load = async () => {
      for (let id = 0; state.on; id++) {
        await firstValueFrom(ledger.send<{ by: string }>('add', { id })).then(
          ({ by }) => answers.set(by, (answers.get(by) ?? 0) + 1),
          (error: unknown) => failures.push(error),
        );
      }
    };
    const workers = Array.from({ length: 8 }, load);
    for (const [n, old] of running.entries()) {
      start(port, `${'ab'[n]}2`);
      await seen(3);
      old.kill('SIGTERM');
      const [code, signal] = (await once(old, 'exit')) as [number | null, string | null];
      expect([code, signal]).toEqual([null, 'SIGTERM']);
      await seen(2);
    }
    await eventually(() =>
      expect([...answers.keys()].toSorted()).toEqual(['a1', 'a2', 'b1', 'b2']),
    );
    state.on = false;
    await Promise.all(workers);
    expect(failures).toEqual([]);
  }, 60_000);
});
