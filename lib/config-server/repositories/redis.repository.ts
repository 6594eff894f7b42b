import type { Redis } from 'ioredis';
import { Changes } from '../../common/changes.js';
import { type Clock, SystemClock } from '../../common/clock.js';
import type { Duration } from '../../common/duration.js';
import { messageOf } from '../../common/errors.js';
import { duration, group, refuse, text, textOf } from '../../common/option-readers.js';
import { optionalPackage } from '../../common/optional-package.js';
import type { PropertySource } from '../../common/properties/property-source.js';
import { ConfigRepository, type RepositorySnapshot } from '../config-repository.js';
import { RepositoryError } from '../config-server.errors.js';
import { SharedStream } from './shared-stream.js';

/** Where Redis is, and how configuration is kept in it. */
export interface RedisRepositoryOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://…` for TLS; the password is never shown. */
  readonly url: string;
  /** What every key begins with: with `'config:'` the hash of orders is `config:orders`. @default '' */
  readonly prefix?: string;
  /**
   * How often the hashes are read again. With `notify-keyspace-events Kgh` in Redis, or `Kg` and more, a change is
   * heard of at once. @default '5s'
   */
  readonly poll?: Duration;
  /** Time; a test gives its own. @default the machine's */
  readonly clock?: Clock;
}

const readOptions = group({ url: textOf(), prefix: text(''), poll: duration('5s', { min: 50 }) });

/** How long Redis may take to answer, in ms. */
const PATIENCE = 5_000;

/**
 * Hashes in Redis, as Spring Cloud Config has them: `orders` and `orders-prod`, the fields being flat keys; and beneath
 * them `application` and `application-prod`, which are shared. Labels are not known. It needs the package `ioredis`.
 */
export class RedisRepository extends ConfigRepository {
  private readonly settings: ReturnType<typeof readOptions>;
  private readonly clock: Clock;
  private readonly connections: SharedStream<{ readonly redis: Redis }>;

  constructor({ clock = new SystemClock(), ...options }: RedisRepositoryOptions) {
    super();
    this.settings = readOptions(options, 'redisRepository');
    if (!/^rediss?:\/\//.test(this.settings.url) || !URL.canParse(this.settings.url)) {
      refuse('redisRepository.url', 'is no address of Redis', "Write it like 'redis://host:6379'.");
    }
    this.clock = clock;
    this.connections = new SharedStream((signal) => this.connect(signal));
  }

  override async *watch(
    application: string,
    profiles: readonly string[],
    _label: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<RepositorySnapshot> {
    const names = [...new Set(['application', ...application.split(',')])];
    const keys = names
      .flatMap((name) => [''].concat(profiles.map((each) => `-${each}`)).map((end) => name + end))
      .map((name) => `${this.settings.prefix}${name}`)
      .toReversed();
    for await (const { redis } of this.connections.watch(signal)) {
      const hashes = await Promise.all(keys.map((key) => redis.hgetall(key)));
      yield { sources: keys.flatMap((key, at) => layerOf(key, hashes[at] ?? {})) };
    }
  }

  /** The connection, once more with every sign of a change. */
  private async *connect(signal: AbortSignal): AsyncIterable<{ readonly redis: Redis }> {
    const redis = await this.open();
    const listener = redis.duplicate();
    const changes = new Changes();
    const state: { lost?: Error } = {};
    const lose = (error?: Error) => {
      state.lost ??= error ?? new Error('the connection was closed');
      changes.announce();
    };
    for (const each of [redis, listener]) each.on('error', lose).on('end', () => lose());
    try {
      await Promise.all([redis.connect(), listener.connect()]);
      listener.on('pmessage', () => changes.announce());
      await listener.psubscribe(`__keyspace@*__:${this.settings.prefix}*`);
      while (!signal.aborted && !state.lost) {
        yield { redis };
        await this.pause(changes, signal);
      }
      if (state.lost) throw state.lost;
    } catch (error) {
      const { host } = new URL(this.settings.url);
      const reason = messageOf(state.lost ?? error);
      throw new RepositoryError(`Redis at ${host} cannot be read: ${reason}`, error);
    } finally {
      for (const each of [redis, listener]) each.disconnect();
    }
  }

  private async pause(changes: Changes, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const end = () => over.abort();
    signal.addEventListener('abort', end);
    void changes.next(over.signal).then(end);
    await this.clock.sleep(this.settings.poll, over.signal);
    end();
    signal.removeEventListener('abort', end);
  }

  private async open(): Promise<Redis> {
    const { Redis: Client } = await optionalPackage(() => import('ioredis'), {
      name: 'ioredis',
      use: 'redisRepository reads Redis with ioredis',
    });
    return new Client(this.settings.url, {
      lazyConnect: true,
      // The room opens it again, after a wait that it chooses.
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      connectTimeout: PATIENCE,
      // A connection that is gone already is waited for as well, and that keeps the process alive.
      disconnectTimeout: 100,
      commandTimeout: PATIENCE,
    });
  }
}

/**
 * Hashes in Redis.
 *
 * @example
 * ConfigServerModule.forRoot({ repository: redisRepository({ url: 'redis://127.0.0.1:6379' }) })
 */
export function redisRepository(options: RedisRepositoryOptions): RedisRepository {
  return new RedisRepository(options);
}

function layerOf(key: string, hash: Readonly<Record<string, string>>): readonly PropertySource[] {
  const fields = Object.keys(hash);
  if (fields.length === 0) return [];
  const origins = Object.fromEntries(fields.map((field) => [field, `redis:${key}`]));
  return [{ name: `redis:${key}`, source: { ...hash }, origins }];
}
