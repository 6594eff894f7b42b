import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { type Duration, formatDuration } from '../../common/duration.js';
import { messageOf, RookeryError } from '../../common/errors.js';
import { duration, group, oneOf, refuse, text } from '../../common/option-readers.js';
import { optionalPackage } from '../../common/optional-package.js';
import type { RateLimitSettings } from './rate-limit.js';
import { type RateDecision, type RateLimiter, RateLimitStore } from './rate-limiter.js';

/** What may be set of limits that all gateways count together, in Redis. */
export interface RedisRateLimitsOptions {
  /** Where Redis is: `redis://[user:password@]host:port[/db]`, or `rediss://` for TLS. @default 'redis://127.0.0.1:6379' */
  readonly url?: string;
  /** What its keys begin with. @default 'rookery:limit' */
  readonly prefix?: string;
  /** What becomes of requests while Redis does not answer: `open` lets them pass, `closed` answers 503. @default 'open' */
  readonly whenDown?: 'open' | 'closed';
  /** How long an answer may take before Redis counts as down. @default '250ms' */
  readonly timeout?: Duration;
}

const read = group({
  url: text('redis://127.0.0.1:6379', {
    matches: /^rediss?:\/\//,
    remedy: "Write it like 'redis://host:6379'.",
  }),
  prefix: text('rookery:limit'),
  whenDown: oneOf(['open', 'closed'], 'open'),
  timeout: duration('250ms', { min: 1 }),
});

type RedisSettings = ReturnType<typeof read>;

/** How long after a connection was lost it is tried again, at the most, in ms. */
const LONGEST_RETRY = 500;

/** The shared counts do not answer, and no request shall pass uncounted. */
class RateLimitsUnavailableError extends RookeryError {
  constructor(cause: unknown) {
    super('The rate limits cannot be asked: Redis does not answer.', {
      code: 'ERR_RATE_LIMITS_UNAVAILABLE',
      status: 503,
      cause,
    });
  }
}

/**
 * Rate limits in Redis, counted together by all gateways, by rate-limiter-flexible: atomic, one round trip.
 *
 * Its periods are fixed windows of whole seconds that begin with a key's first request; `burst` and a sliding window
 * cannot be had. A key that is over its limit is refused from memory until its window ends.
 *
 * @example
 * GatewayModule.forRoot({
 *   security: { store: redisRateLimits({ url: 'redis://redis:6379', whenDown: 'open' }), rateLimits: [{ limit: 100, per: '1m' }] },
 * })
 */
export function redisRateLimits(options: RedisRateLimitsOptions = {}): RateLimitStore {
  return new RedisRateLimits(read(options, 'redisRateLimits'));
}

class RedisRateLimits extends RateLimitStore {
  private readonly logger = new Logger('RateLimits');
  private client: Promise<Redis> | undefined;
  private down = false;

  constructor(private readonly settings: RedisSettings) {
    super();
  }

  override open(limit: RateLimitSettings): RateLimiter {
    const where = `The rate limit '${limit.name}'`;
    if (limit.per % 1_000 !== 0)
      refuse(where, `has a period of ${formatDuration(limit.per)}`, 'In Redis, use whole seconds.');
    if (limit.burst !== limit.limit || limit.algorithm === 'sliding-window')
      refuse(
        where,
        'asks for a burst or a sliding window',
        'In Redis there are fixed windows only.',
      );
    const limiter = this.connect().then((client) => this.limiterOn(client, limit));
    // Whoever takes hears of it; until then it is nobody's.
    limiter.catch(() => {});
    return { take: (key, cost) => this.take(limiter, key, cost) };
  }

  /** Waits for the connection; a Redis that is away does not stop the start. */
  override async ready(): Promise<void> {
    const client = await this.connect();
    if (client.status === 'ready') return;
    await new Promise<void>((resolve) => {
      client.once('ready', resolve).once('error', () => resolve());
    });
  }

  override async close(): Promise<void> {
    const client = await this.client?.catch(() => undefined);
    client?.disconnect();
  }

  private connect(): Promise<Redis> {
    return (this.client ??= openRedis(this.settings, (error) => this.notice(error)));
  }

  private async limiterOn(client: Redis, { name, limit, per }: RateLimitSettings) {
    const { RateLimiterRedis } = await optionalPackage(() => import('rate-limiter-flexible'), {
      name: 'rate-limiter-flexible',
      use: 'redisRateLimits() counts with rate-limiter-flexible',
      remedy: 'use memoryRateLimits()',
    });
    return new RateLimiterRedis({
      storeClient: client,
      keyPrefix: `${this.settings.prefix}:${name}`,
      points: limit,
      duration: per / 1_000,
      inMemoryBlockOnConsumed: limit,
      rejectIfRedisNotReady: true,
    });
  }

  private async take(opened: Promise<Counter>, key: string, cost: number): Promise<RateDecision> {
    const limiter = await opened;
    try {
      const result = await limiter.consume(key, cost);
      this.notice(undefined);
      return decisionOf(true, result);
    } catch (rejected) {
      // The library rejects with its result when a limit is reached, and with an error when Redis fails.
      if (!(rejected instanceof Error)) return decisionOf(false, rejected as Result);
      this.notice(rejected);
      if (this.settings.whenDown === 'closed') throw new RateLimitsUnavailableError(rejected);
      return { allowed: true, remaining: 0, resetAfter: 0, retryAfter: 0 };
    }
  }

  /** One line when Redis goes, one when it is back. */
  private notice(error: unknown): void {
    if ((error !== undefined) === this.down) return;
    this.down = error !== undefined;
    const policy = this.settings.whenDown === 'open' ? 'pass uncounted' : 'are answered 503';
    if (this.down)
      this.logger.warn(`Redis does not answer (${messageOf(error)}); requests ${policy}.`);
    else this.logger.log('Redis answers again; requests are counted.');
  }
}

interface Result {
  readonly remainingPoints: number;
  readonly msBeforeNext: number;
}

interface Counter {
  consume(key: string, points: number): Promise<Result>;
}

function decisionOf(allowed: boolean, { remainingPoints, msBeforeNext }: Result): RateDecision {
  return {
    allowed,
    remaining: remainingPoints,
    resetAfter: msBeforeNext,
    retryAfter: allowed ? 0 : msBeforeNext,
  };
}

async function openRedis(
  { url, timeout }: RedisSettings,
  onError: (error: Error) => void,
): Promise<Redis> {
  const { Redis } = await optionalPackage(() => import('ioredis'), {
    name: 'ioredis',
    use: 'redisRateLimits() speaks with Redis through ioredis',
    remedy: 'use memoryRateLimits()',
  });
  const client = new Redis(url, {
    commandTimeout: timeout,
    connectTimeout: Math.max(timeout, 1_000),
    // A connection that is gone already is waited for as well, and that keeps the process alive.
    disconnectTimeout: 100,
    // A request must not wait for a connection that may never come.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(50 * times, LONGEST_RETRY),
  });
  client.on('error', onError);
  return client;
}
