import { randomBytes } from 'node:crypto';
import {
  flag,
  group,
  optional,
  type OptionReader,
  refuse,
  text,
  textOf,
} from '../../common/option-readers.js';
import type { BackendContext, BackendFactory, DiscoveryBackend } from '../discovery-backend.js';
import { InstanceSource } from '../instance-source.js';
import type { InstanceStatus, ServiceInstance } from '../service-instance.js';
import { type Lease, ServiceRegistry } from '../service-registry.js';
import { isLoopback } from './loopback.js';
import { RedisConnection } from './redis-connection.js';
import { RedisNames } from './redis-names.js';
import { LAST, NAME, REGISTER, RENEW, REVOKE } from './redis-scripts.js';
import { RedisWatch } from './redis-watch.js';
import { peerOf } from './registry-address.js';
import { readTls, type RegistryTlsOptions, tlsMaterial } from './registry-tls.js';
import { distinct } from './shared-stream.js';

export interface RedisOptions {
  /** `redis://` or, with TLS, `rediss://`; a path is the number of the database. @default REDIS_URL, else 'redis://127.0.0.1:6379' */
  readonly url?: string;
  /** Whether `url` is one node of a Redis Cluster. @default false */
  readonly cluster?: boolean;
  /** @default none */
  readonly username?: string;
  /** @default none */
  readonly password?: string;
  /** What all keys and channels begin with. @default 'nest-rookery' */
  readonly prefix?: string;
  /** For `rediss://`. @default Node's own certificates, and no certificate of ours */
  readonly tls?: RegistryTlsOptions;
}

/**
 * Redis 5 or newer, or a Redis Cluster; needs the package `ioredis`.
 *
 * Whether an instance lives is judged by the server's clock, without its jumps: what is longer than 15 s, or goes back, between
 * two looks counts as no time. Who was last looked for longer ago is therefore seen for one more `ttl`. Redis may lose what it was told last when it fails over; everyone
 * registers again within a heartbeat then.
 *
 * @throws InvalidOptionsError when an option or the address cannot be used
 * @example
 * DiscoveryModule.forRoot({ backend: redis({ url: 'redis://redis:6379' }) });
 */
export function redis(options: RedisOptions = {}): BackendFactory {
  const settings = readOptions(options, 'redis');
  const [path, given] =
    settings.url === undefined
      ? ['REDIS_URL', process.env['REDIS_URL'] || 'redis://127.0.0.1:6379']
      : ['redis.url', settings.url];
  const url = readUrl(given, path);
  return (context) => new RedisBackend(url, settings, context);
}

const readOptions = group({
  url: optional(textOf()),
  cluster: flag(false),
  username: optional(textOf()),
  password: optional(textOf()),
  prefix: text('nest-rookery', {
    matches: /^[\w.:-]+$/,
    remedy: 'Use letters, digits, dots, colons and hyphens; no braces.',
  }),
  tls: readTls,
});

type RedisSettings = ReturnType<typeof readOptions>;

const readUrl: OptionReader<URL> = (given, path) => {
  const url = URL.canParse(String(given)) ? new URL(String(given)) : undefined;
  if (url?.protocol !== 'redis:' && url?.protocol !== 'rediss:') {
    refuse(path, 'is no address of a Redis', "Write it like 'redis://127.0.0.1:6379'.");
  }
  if (!/^\/?\d*$/.test(url.pathname)) {
    refuse(path, 'names no database', "Write its number, such as 'redis://127.0.0.1:6379/1'.");
  }
  return url;
};

class RedisBackend implements DiscoveryBackend {
  readonly name = 'redis';
  readonly remote: boolean;
  readonly peer: { readonly host: string; readonly port: number };
  readonly registry: ServiceRegistry;
  readonly source: InstanceSource;
  private readonly connection: RedisConnection;

  constructor(url: URL, settings: RedisSettings, context: BackendContext) {
    const { cluster, username, password } = settings;
    const address = {
      url,
      cluster,
      // In an address they are percent-encoded.
      username: username ?? (decodeURIComponent(url.username) || undefined),
      password: password ?? (decodeURIComponent(url.password) || undefined),
      tls: url.protocol === 'rediss:' ? tlsMaterial(settings.tls, 'redis.tls') : undefined,
    };
    this.connection = new RedisConnection(address, context.clock);
    const names = new RedisNames(settings.prefix, context.namespace);
    this.remote = !isLoopback(url.hostname);
    this.peer = peerOf(url);
    this.registry = new RedisRegistry(this.connection, names, context);
    this.source = new RedisSource(new RedisWatch(this.connection, names, context.clock));
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

class RedisRegistry extends ServiceRegistry {
  constructor(
    private readonly connection: RedisConnection,
    private readonly names: RedisNames,
    private readonly context: BackendContext,
  ) {
    super();
  }

  override async register(instance: ServiceInstance, signal: AbortSignal): Promise<Lease> {
    const { connection, names, context } = this;
    const lease = new RedisLease({ connection, names, context, instance });
    await lease.begin(signal);
    return lease;
  }
}

interface Held {
  readonly connection: RedisConnection;
  readonly names: RedisNames;
  readonly context: BackendContext;
  readonly instance: ServiceInstance;
}

class RedisLease implements Lease {
  readonly renewEvery: number;
  private readonly owner = randomBytes(9).toString('base64url');
  private told: InstanceStatus;

  constructor(private readonly held: Held) {
    this.renewEvery = held.context.heartbeat;
    this.told = held.instance.status;
  }

  async begin(signal: AbortSignal): Promise<void> {
    await this.run(REGISTER, [String(this.held.context.ttl), this.text(this.told)], signal);
    await this.name(NAME, signal);
  }

  async renew(status: InstanceStatus, signal: AbortSignal): Promise<'ok' | 'lost'> {
    const written = status === this.told ? '' : this.text(status);
    const ttl = String(this.held.context.ttl);
    if ((await this.run(RENEW, [ttl, this.owner, written], signal)) === 0) return 'lost';
    this.told = status;
    await this.name(NAME, signal);
    return 'ok';
  }

  async revoke(signal: AbortSignal): Promise<void> {
    if ((await this.run(REVOKE, [this.owner], signal)) === 2) await this.name(LAST, signal);
  }

  private text(status: InstanceStatus): string {
    return `${this.owner}|${JSON.stringify({ ...this.held.instance, status })}`;
  }

  private run(script: string, args: readonly string[], signal: AbortSignal): Promise<unknown> {
    const { connection, names, instance } = this.held;
    const { keys, channel } = names.of(instance.service);
    return connection.run(script, { keys, args: [channel, instance.id, ...args] }, signal);
  }

  /** The list of names is another key, and in a cluster perhaps another node: it is kept alive by itself. */
  private async name(script: string, signal: AbortSignal): Promise<void> {
    const { connection, names, instance, context } = this.held;
    const { keys, channel } = names.services;
    const args = [channel, instance.service, String(context.ttl)];
    await connection.run(script, { keys, args }, signal);
  }
}

class RedisSource extends InstanceSource {
  constructor(private readonly watch: RedisWatch) {
    super();
  }

  override instances(
    service: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServiceInstance[]> {
    return distinct(this.watch.instances(service, signal));
  }

  override services(signal: AbortSignal): AsyncIterable<readonly string[]> {
    return distinct(this.watch.services(signal));
  }
}
