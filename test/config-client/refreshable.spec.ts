import { Logger, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import { Refreshable, refreshable } from '../../lib/config-client/refreshable.js';
import { MemorySource } from '../../lib/config-client/sources/memory.source.js';
import { eventually } from '../support/eventually.js';

const POOL = Symbol('pool');

interface Pool {
  readonly url: string;
  open: boolean;
}

async function start(source: MemorySource) {
  const made: Pool[] = [];
  @Module({
    imports: [ConfigClientModule.forRoot({ name: 'orders', source })],
    providers: [
      refreshable<Pool>({
        provide: POOL,
        keys: 'db',
        make: (config) => {
          const url = config.getOrThrow<string>('db.url');
          if (url === 'bad') throw new Error('cannot connect');
          const pool = { url, open: true };
          made.push(pool);
          return pool;
        },
        dispose: (pool) => {
          pool.open = false;
        },
      }),
    ],
  })
  class OrdersModule {}
  const app = await Test.createTestingModule({ imports: [OrdersModule] }).compile();
  await app.init();
  return { app, made, pool: app.get<Refreshable<Pool>>(POOL) };
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a refreshable provider', () => {
  it('is made anew when its keys change, and only then; the old one is disposed of', async () => {
    const source = new MemorySource({ db: { url: 'a' }, other: 1 });
    const { app, made, pool } = await start(source);
    expect(pool.current.url).toBe('a');
    source.set({ db: { url: 'a' }, other: 2 });
    source.set({ db: { url: 'b' }, other: 3 });
    await eventually(() => expect(pool.current.url).toBe('b'));
    await eventually(() =>
      expect(made.map(({ url, open }) => [url, open])).toEqual([
        ['a', false],
        ['b', true],
      ]),
    );
    await app.close();
    expect(pool.current.open).toBe(false);
  });

  it('that cannot be made leaves the old one in place and says so', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const source = new MemorySource({ db: { url: 'a' } });
    const { app, pool } = await start(source);
    source.set({ db: { url: 'bad' } });
    await eventually(() =>
      expect(error).toHaveBeenCalledWith(
        'Symbol(pool) could not follow a change of the configuration: cannot connect',
      ),
    );
    expect(pool.current).toEqual({ url: 'a', open: true });
    await app.close();
  });
});
