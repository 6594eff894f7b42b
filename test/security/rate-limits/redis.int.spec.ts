import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { readRateLimit } from '../../../lib/security/rate-limits/rate-limit.js';
import type { RateLimitStore } from '../../../lib/security/rate-limits/rate-limiter.js';
import { redisRateLimits } from '../../../lib/security/rate-limits/redis-rate-limits.js';
import { eventually } from '../../support/eventually.js';
import { startRedis } from '../../support/servers/server.mjs';

type Redis = Awaited<ReturnType<typeof startRedis>>;

const stores: RateLimitStore[] = [];
const servers: Redis[] = [];

beforeAll(() => Logger.overrideLogger(false));

afterEach(async () => {
  await Promise.all(stores.splice(0).map(async (each) => each.close()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function redis(port?: number): Promise<Redis> {
  const server = await startRedis(port === undefined ? {} : { ports: [port] });
  servers.push(server);
  return server;
}

async function store(url: string, whenDown: 'open' | 'closed' = 'open'): Promise<RateLimitStore> {
  const made = redisRateLimits({ url, whenDown });
  stores.push(made);
  await made.ready();
  return made;
}

const limit = (more = {}) => readRateLimit({ limit: 100, per: '10m', ...more }, 'limit');

describe('rate limits in a real Redis', () => {
  it('are counted together by all who use it, to the request', async () => {
    const { url } = await redis();
    const all = await Promise.all([store(url), store(url), store(url), store(url)]);
    const limiters = all.map((each) => each.open(limit()));
    const taken = await Promise.all(
      Array.from({ length: 400 }, async (_, at) => limiters[at % 4]?.take('ada', 1)),
    );
    expect(taken.filter((decision) => decision?.allowed)).toHaveLength(100);
    const refused = taken.find((decision) => decision?.allowed === false);
    expect(refused?.retryAfter).toBeGreaterThan(500_000);
    expect((await limiters[0]?.take('bob', 7))?.remaining).toBe(93);
  });

  it.each(['open', 'closed'] as const)(
    'while Redis is dead are %s, and are kept again when it is back',
    async (whenDown) => {
      const server = await redis();
      const limiter = (await store(server.url, whenDown)).open(limit());
      await limiter.take('ada', 1);
      await server.kill();
      const taken = Promise.resolve(limiter.take('ada', 1));
      if (whenDown === 'open') await expect(taken).resolves.toMatchObject({ allowed: true });
      else
        await expect(taken).rejects.toMatchObject({
          code: 'ERR_RATE_LIMITS_UNAVAILABLE',
          status: 503,
        });
      servers.splice(0);
      await redis(server.port);
      await eventually(async () => expect((await limiter.take('bob', 1)).remaining).toBe(99));
    },
  );

  it('do not stop a start while Redis is away', async () => {
    const made = await store('redis://127.0.0.1:1', 'closed');
    await expect(made.open(limit()).take('ada', 1)).rejects.toMatchObject({ status: 503 });
  });

  it.each([
    [{ per: '1500ms' }, "The rate limit 'default' has a period of 1.5s"],
    [{ burst: 200 }, 'asks for a burst'],
    [{ algorithm: 'sliding-window' }, 'asks for a burst or a sliding window'],
  ])('refuse %j, which Redis cannot keep', async (more, sentence) => {
    const { url } = await redis();
    const made = await store(url);
    expect(() => made.open(limit(more))).toThrow(sentence);
  });
});
