import type { Cluster, Redis } from 'ioredis';
import type { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import { BackendRefusedError, BackendUnavailableError } from '../discovery.errors.js';
import { unlessAborted } from './unless-aborted.js';

/** Where Redis is, and as whom we speak to it. */
export interface RedisAddress {
  readonly url: URL;
  /** Whether `url` is one node of a cluster. */
  readonly cluster: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: object | undefined;
}

type Client = Redis | Cluster;
type Purpose = 'commands' | 'messages';

/** How long a command, and a connection, may take, in ms. */
const CALL_TIMEOUT = 5_000;
const CONNECT_TIMEOUT = 2_000;

/**
 * Two connections over `ioredis`, which is loaded with the first call: one for commands, one that hears messages.
 *
 * Neither comes back by itself: what it carried fails, and whoever tries again gets a new one.
 */
export class RedisConnection {
  private readonly open = new Map<Purpose, Promise<Client>>();
  private readonly listeners = new Map<string, Set<Listener>>();

  constructor(
    private readonly address: RedisAddress,
    private readonly clock: Clock,
  ) {}

  /** Runs a script; the keys share their hash tag. */
  async run(
    script: string,
    { keys, args }: { readonly keys: readonly string[]; readonly args: readonly string[] },
    signal: AbortSignal,
  ): Promise<unknown> {
    return this.limited(signal, async (limit) => {
      const client = await unlessAborted(this.client('commands'), limit);
      return unlessAborted(client.eval(script, keys.length, ...keys, ...args), limit);
    });
  }

  /** Hears of every message on a channel, and that no more will come; returns how to stop. */
  async listen(channel: string, listener: Listener, signal: AbortSignal): Promise<() => void> {
    const set = this.listeners.get(channel) ?? new Set();
    this.listeners.set(channel, set.add(listener));
    const stop = () => {
      set.delete(listener);
      if (set.size > 0 || this.listeners.get(channel) !== set) return;
      this.listeners.delete(channel);
      void this.open
        .get('messages')
        ?.then((client) => client.unsubscribe(channel))
        .catch(() => {});
    };
    try {
      await this.limited(signal, async (limit) => {
        const client = await unlessAborted(this.client('messages'), limit);
        await unlessAborted(client.subscribe(channel), limit);
      });
      return stop;
    } catch (error) {
      stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const connecting of this.open.values()) {
      await connecting.then(
        (client) => client.disconnect(),
        () => {},
      );
    }
  }

  /** Does something within the time a call may take; a server that hangs fails it. */
  private async limited<T>(
    parent: AbortSignal,
    task: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    parent.throwIfAborted();
    const { signal, cancel } = this.clock.deadline(CALL_TIMEOUT, parent);
    try {
      return await task(signal);
    } catch (error) {
      throw parent.aborted ? parent.reason : this.failure(error);
    } finally {
      cancel();
    }
  }

  private client(purpose: Purpose): Promise<Client> {
    const known = this.open.get(purpose);
    if (known) return known;
    const opening = this.connect(() => {
      // By the time an old connection says that it ended, there may be a newer one.
      if (this.open.get(purpose) === opening) this.open.delete(purpose);
      if (purpose === 'messages') this.loseAll();
    });
    this.open.set(purpose, opening);
    return opening;
  }

  private async connect(onEnd: () => void): Promise<Client> {
    const client = await this.make();
    client.on('message', (channel: string) => {
      for (const { onMessage } of this.listeners.get(channel) ?? []) onMessage();
    });
    // What fails rejects its own promise; an emitter without a listener would end the process.
    client.on('error', () => {});
    const { signal, cancel } = this.clock.deadline(CALL_TIMEOUT);
    try {
      await unlessAborted(client.connect(), signal);
      client.once('end', onEnd);
      return client;
    } catch (error) {
      onEnd();
      client.disconnect();
      throw error;
    } finally {
      cancel();
    }
  }

  private async make(): Promise<Client> {
    const { Cluster, Redis } = await loadPackage();
    const { url, cluster, username, password, tls } = this.address;
    const options = {
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...((url.protocol === 'rediss:' || tls) && { tls: tls ?? {} }),
      connectTimeout: CONNECT_TIMEOUT,
      // A connection that is gone already is waited for as well, and that keeps the process alive.
      disconnectTimeout: 100,
      keepAlive: 10_000,
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    };
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = Number(url.port || 6379);
    if (!cluster) {
      const db = Number(url.pathname.slice(1) || 0);
      return new Redis({ ...options, host, port, db, lazyConnect: true });
    }
    return new Cluster([{ host, port }], {
      redisOptions: options,
      lazyConnect: true,
      clusterRetryStrategy: () => null,
      enableReadyCheck: true,
      slotsRefreshTimeout: CONNECT_TIMEOUT,
    });
  }

  private loseAll(): void {
    const lost = [...this.listeners.values()];
    this.listeners.clear();
    const error = this.failure(new Error('the connection ended'));
    for (const set of lost) for (const { onLost } of set) onLost(error);
  }

  private failure(error: unknown): Error {
    if (error instanceof BackendRefusedError) return error;
    const said = messageOf(error);
    const { host } = this.address.url;
    if (/^(NOAUTH|WRONGPASS|NOPERM)|Redis Cluster support|CROSSSLOT|^MOVED/i.test(said)) {
      return new BackendRefusedError(
        `Redis at ${host} refuses us: ${said}. Check redis.username, redis.password and redis.cluster; the user needs the keys and channels 'nest-rookery:*', and EVAL, SUBSCRIBE and PUBLISH.`,
        error,
      );
    }
    return new BackendUnavailableError(
      `Redis at ${host} cannot be reached: ${said}. Is it running? redis.url or REDIS_URL says where.`,
      error,
    );
  }
}

/** Who hears of messages. */
export interface Listener {
  readonly onMessage: () => void;
  readonly onLost: (error: Error) => void;
}

async function loadPackage() {
  try {
    return await import('ioredis');
  } catch (error) {
    throw new BackendRefusedError(
      "The backend 'redis' needs the package ioredis, and it cannot be loaded. Install it: npm install ioredis.",
      error,
    );
  }
}
