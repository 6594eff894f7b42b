import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisRepository } from '../../../lib/config-server/repositories/redis.repository.js';
import { eventually } from '../../support/eventually.js';
import { firstOf, Following, namesOf } from './support/following.js';

const following = new Following();
let server: ChildProcess;
let client: Redis;
let url = '';

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  listener.close();
  return port;
}

function start(port: number): ChildProcess {
  const script = join(import.meta.dirname, '../../../scripts/ensure-deb.sh');
  const program = execFileSync(script, ['redis-server', 'redis-server'], {
    encoding: 'utf8',
  }).trim();
  const options = ['--save', '', '--bind', '127.0.0.1', '--requirepass', 'hunter22'];
  return spawn(program, ['--port', String(port), ...options], { stdio: 'ignore' });
}

beforeAll(async () => {
  const port = await freePort();
  server = start(port);
  url = `redis://:hunter22@127.0.0.1:${port}`;
  client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  await client.ping();
}, 120_000);

beforeEach(async () => {
  await client.flushall();
  await client.config('SET', 'notify-keyspace-events', '');
});

afterEach(() => following.stop());

afterAll(async () => {
  client.disconnect();
  server.kill();
  await once(server, 'exit');
});

describe('a repository in Redis', () => {
  it('reads hashes, those of the application and its profiles before those that are shared', async () => {
    await client.hset('application', 'a', '1');
    await client.hset('application-prod', 'a', '2');
    await client.hset('orders', 'db.pool.max', '10');
    await client.hset('orders-prod', 'db.pool.max', '50');
    const snapshot = await firstOf(redisRepository({ url }), 'orders', ['prod', 'eu']);
    expect(namesOf(snapshot)).toEqual([
      'redis:orders-prod',
      'redis:orders',
      'redis:application-prod',
      'redis:application',
    ]);
    expect(snapshot.sources[0]).toMatchObject({
      source: { 'db.pool.max': '50' },
      origins: { 'db.pool.max': 'redis:orders-prod' },
    });
  });

  it('hears of a change at once where Redis tells it, and at its interval elsewhere', async () => {
    await client.hset('config:orders', 'a', '1');
    const polled = following.follow(
      redisRepository({ url, prefix: 'config:', poll: '100ms' }),
      'orders',
    ).seen;
    await client.config('SET', 'notify-keyspace-events', 'Kgh');
    const told = following.follow(
      redisRepository({ url, prefix: 'config:', poll: '1h' }),
      'orders',
    ).seen;
    await eventually(() => expect([polled.length > 0, told.length]).toEqual([true, 1]));
    await client.hset('config:orders', 'a', '2');
    for (const seen of [polled, told]) {
      await eventually(() => expect(seen.at(-1)?.sources[0]?.source).toEqual({ a: '2' }));
    }
    await client.del('config:orders');
    await eventually(() => expect(told.at(-1)?.sources).toEqual([]));
  });

  it('fails when Redis goes away, without its password, and reads again when it is back', async () => {
    await client.hset('orders', 'a', '1');
    const repository = redisRepository({ url, poll: '50ms' });
    const { seen, failures } = following.follow(repository, 'orders');
    await eventually(() => expect(seen.length).toBeGreaterThan(0));
    await client.client('KILL', 'TYPE', 'normal');
    await eventually(() => expect(failures).toHaveLength(1));
    expect(String(failures[0])).toContain('Redis at 127.0.0.1');
    expect(String(failures[0])).not.toContain('hunter22');
    expect((await firstOf(repository, 'orders')).sources).toHaveLength(1);
    const wrong = redisRepository({ url: url.replace('hunter22', 'wrong123') });
    await expect(firstOf(wrong, 'orders')).rejects.toThrow('WRONGPASS');
    await expect(
      firstOf(redisRepository({ url: 'redis://127.0.0.1:1' }), 'orders'),
    ).rejects.toThrow('Redis at 127.0.0.1:1 cannot be read: connect ECONNREFUSED');
  });

  it('refuses what is no address', () => {
    expect(() => redisRepository({ url: 'http://x' })).toThrow(
      'redisRepository.url is no address of Redis.',
    );
  });
});
