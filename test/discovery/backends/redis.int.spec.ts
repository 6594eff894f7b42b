import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../../../lib/common/clock.js';
import { Live } from '../../../lib/common/live.js';
import { redis } from '../../../lib/discovery/backends/redis.backend.js';
import type { DiscoveryBackend } from '../../../lib/discovery/discovery-backend.js';
import type { ServiceInstance } from '../../../lib/discovery/service-instance.js';
import { describeDiscoveryBackend } from '../../../lib/testing/discovery-backend.contract.js';
import { eventually } from '../../support/eventually.js';
import { say, startRedis } from '../../support/servers/server.mjs';
import { makeContext, makeInstance } from './support/backend-fixtures.js';

const { signal } = new AbortController();
const { ttl } = makeContext();
let url = '';
let server: Awaited<ReturnType<typeof startRedis>>;
let cluster: Awaited<ReturnType<typeof startRedis>>;

beforeAll(async () => {
  server = await startRedis();
  url = server.url;
  cluster = await startRedis({ cluster: true });
}, 60_000);
afterAll(async () => {
  await server.stop();
  await cluster.stop();
});

function follow(backend: DiscoveryBackend, service: string): Live<readonly ServiceInstance[]> {
  return new Live({
    clock: new SystemClock(),
    open: (given) => backend.source.instances(service, given),
  });
}

describeDiscoveryBackend('redis', () => redis({ url }), {
  describe,
  it,
  crash: 'expires',
  forget: () => say(server.port, 'FLUSHALL'),
});

describeDiscoveryBackend('a redis cluster', () => redis({ url: cluster.url, cluster: true }), {
  describe,
  it,
  crash: 'expires',
});

describe('redis', () => {
  let backend: DiscoveryBackend;
  beforeAll(() => {
    backend = redis({ url })(makeContext());
  });
  afterAll(() => backend.close?.());

  it('leaves out what holds no instance, or one of another service', async () => {
    const key = 'nest-rookery:{default/odd}:instances';
    await say(server.port, `HSET ${key} x nobody|no-json`);
    const live = follow(backend, 'odd');
    await live.ready();
    expect(live.current).toEqual([]);
    live.close();
  });

  it('watches many services over two connections', async () => {
    const many = Array.from({ length: 30 }, (_, n) => follow(backend, `crowd-${n}`));
    await Promise.all(many.map((live) => live.ready()));
    const last = makeInstance({ id: 'crowd-29-1', service: 'crowd-29' });
    const lease = await backend.registry?.register(last, signal);
    await eventually(() => expect(many[29]?.current).toEqual([last]));
    for (const live of many) live.close();
    await lease?.revoke(signal);
  });

  it('lets the newer of two with one id stay when the older leaves', async () => {
    const instance = makeInstance({ id: 'twin-1', service: 'twin' });
    const older = await backend.registry?.register(instance, signal);
    const newer = await backend.registry?.register({ ...instance, port: 3_002 }, signal);
    expect(await older?.renew('degraded', signal)).toBe('ok');
    await older?.revoke(signal);
    const live = follow(backend, 'twin');
    await eventually(() => expect(live.current).toEqual([{ ...instance, port: 3_002 }]));
    live.close();
    await newer?.revoke(signal);
  });

  // Redis itself does not start under libfaketime (jemalloc), so that what a script remembers of its clock is moved instead,
  // the other way, which is the same to it.
  it.each([
    ['forwards', -3_600_000],
    ['back', 3_600_000],
  ])(
    "neither ends nor lengthens a lease when the server's clock jumps by an hour %s",
    async (way, shift) => {
      const service = `clock-${way}`;
      const kept = makeInstance({ id: `${service}-kept`, service });
      const left = makeInstance({ id: `${service}-left`, service });
      const lease = await backend.registry?.register(kept, signal);
      const live = follow(backend, service);
      const seen: (readonly ServiceInstance[])[] = [];
      live.onChange((all) => void seen.push(all));
      await eventually(() => expect(live.current).toEqual([kept]));
      await backend.registry?.register(left, signal);
      const from = performance.now();
      const clock = `nest-rookery:{default/${service}}:clock`;
      expect(await say(server.port, `HINCRBY ${clock} wall ${shift}`)).toMatch(/^:\d+/);
      await eventually(async () => {
        expect(await lease?.renew('up', signal)).toBe('ok');
        expect(live.current).toEqual([kept]);
      }, 10_000);
      const lasted = performance.now() - from;
      expect(lasted).toBeGreaterThan(ttl - 100);
      expect(lasted).toBeLessThan(2 * ttl);
      expect(seen.every((all) => all.some(({ id }) => id === kept.id))).toBe(true);
      live.close();
      await lease?.revoke(signal);
    },
    20_000,
  );

  it('says what is wrong when nobody answers', async () => {
    const stranger = redis({ url: 'redis://127.0.0.1:1' })(makeContext());
    await expect(stranger.registry?.register(makeInstance(), signal)).rejects.toThrow(
      'Redis at 127.0.0.1:1 cannot be reached',
    );
  });

  it('recovers its stream when the server dies and comes back empty, and says that the lease is lost', async () => {
    const instance = makeInstance();
    const lease = await backend.registry?.register(instance, signal);
    const live = follow(backend, 'orders');
    await eventually(() => expect(live.current).toEqual([instance]));
    await server.kill();
    await eventually(() => expect(live.error).toBeInstanceOf(Error));
    await expect(lease?.renew('up', signal)).rejects.toThrow('cannot be reached');
    expect(live.current).toEqual([instance]);
    server = await startRedis({ ports: server.ports });
    await eventually(async () => expect(await lease?.renew('up', signal)).toBe('lost'));
    await backend.registry?.register(instance, signal);
    await eventually(() => {
      expect(live.error).toBeUndefined();
      expect(live.current).toEqual([instance]);
    });
    live.close();
  }, 30_000);
});
