import { group, integer, optional, refuse, text, textOf } from '../../common/option-readers.js';
import type { BackendContext, BackendFactory, DiscoveryBackend } from '../discovery-backend.js';
import { InstanceSource } from '../instance-source.js';
import type { InstanceStatus, ServiceInstance } from '../service-instance.js';
import { type Lease, ServiceRegistry } from '../service-registry.js';
import type { HolderConnection, Watch } from './embedded-connection.js';
import { Membership } from './embedded-membership.js';
import { isLoopback } from './loopback.js';
import { Newest } from './newest.js';
import { unlessAborted } from './unless-aborted.js';

export interface EmbeddedOptions {
  /**
   * A registry that runs by itself, `tcp://registry:7946` (`npx nest-rookery registry`); this process then never holds the
   * table. It needs the token that the registry was given. @default none: the processes of this machine hold it
   */
  readonly url?: string;
  /** The TCP port where the processes meet, the same in each. @default 7946 */
  readonly port?: number;
  /** Where the holder of the table listens. An address other machines can reach needs a token. @default '127.0.0.1' */
  readonly host?: string;
  /** A secret every process must know; it never travels. @default none */
  readonly token?: string;
}

/**
 * Everyone knows what the old holder's own instances were, and drops them with it. The others are back with the new holder in a
 * moment, unless they are busy: until then, but not longer than a call may take, in ms, they stay in use. A registry that runs by
 * itself may be away for long, and owns nothing.
 */
const RETURN_HOLD = 5_000;

/**
 * A registry without a server: the first process to bind a port on this machine holds the table of all.
 *
 * A registration is the connection it came over, so a killed process is gone at once, and a frozen one when its time to
 * live is over. When the holder dies, the next process binds the port and all register there again. For development, demos
 * and single hosts; past one machine there are Consul, etcd and Kubernetes.
 *
 * @throws InvalidOptionsError when the host is no loopback address and there is no token
 * @example
 * DiscoveryModule.forRoot({ backend: embedded({ port: 7950 }) });
 */
export function embedded(options: EmbeddedOptions = {}): BackendFactory {
  const settings = readOptions(options);
  return (context) => new EmbeddedBackend(settings, context);
}

const readFields = group({
  url: optional(textOf()),
  port: integer(7946, { min: 1, max: 65_535 }),
  host: text('127.0.0.1'),
  token: optional(textOf()),
});

interface EmbeddedSettings {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
  /** Whether this process may hold the table. */
  readonly holds: boolean;
}

function readOptions(options: EmbeddedOptions): EmbeddedSettings {
  const { url, ...fields } = readFields(options, 'embedded');
  if (url !== undefined) return { ...fields, ...readUrl(url), holds: false };
  if (!isLoopback(fields.host) && fields.token === undefined) {
    refuse(
      'embedded.host',
      `is '${fields.host}', which other machines can reach`,
      "Give every process the same embedded.token, or listen at '127.0.0.1'.",
    );
  }
  return { ...fields, holds: true };
}

function readUrl(text: string): { readonly host: string; readonly port: number } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'tcp:' || !url.hostname || url.username || !/^\/?$/.test(url.pathname)) {
    refuse('embedded.url', `is '${text}'`, "Write it like 'tcp://registry:7946'.");
  }
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port || 7946) };
}

class EmbeddedBackend implements DiscoveryBackend {
  readonly name = 'embedded';
  readonly remote: boolean;
  readonly returnHold?: number;
  readonly registry: ServiceRegistry;
  readonly source: InstanceSource;
  private readonly membership: Membership;

  constructor(settings: EmbeddedSettings, context: BackendContext) {
    const { clock, namespace, ttl, heartbeat } = context;
    this.remote = !isLoopback(settings.host);
    if (settings.holds) this.returnHold = Math.min(ttl, RETURN_HOLD);
    const { token } = settings;
    this.membership = new Membership({ ...settings, token, clock, namespace, ttl });
    this.registry = new EmbeddedRegistry(this.membership, heartbeat);
    this.source = new EmbeddedSource(this.membership);
  }

  close(): Promise<void> {
    return this.membership.leave();
  }
}

class EmbeddedRegistry extends ServiceRegistry {
  constructor(
    private readonly membership: Membership,
    private readonly heartbeat: number,
  ) {
    super();
  }

  override async register(instance: ServiceInstance, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    const connection = await unlessAborted(this.membership.join(), signal);
    try {
      await unlessAborted(connection.put(instance), signal);
    } catch (error) {
      // What was given up must not stay in the table without a lease.
      connection.delete(instance.id).catch(() => {});
      throw error;
    }
    return new EmbeddedLease(connection, instance, this.heartbeat);
  }
}

/** Lives as long as its connection, and no longer than the time to live without being renewed: a frozen process is out. */
class EmbeddedLease implements Lease {
  readonly lost: Promise<void>;

  constructor(
    private readonly connection: HolderConnection,
    private readonly instance: ServiceInstance,
    readonly renewEvery: number,
  ) {
    this.lost = connection.closed;
  }

  async renew(status: InstanceStatus, signal: AbortSignal): Promise<'ok' | 'lost'> {
    if (!this.connection.open) return 'lost';
    await unlessAborted(this.connection.put({ ...this.instance, status }), signal);
    return 'ok';
  }

  async revoke(signal: AbortSignal): Promise<void> {
    if (!this.connection.open) return;
    await unlessAborted(this.connection.delete(this.instance.id), signal);
  }
}

class EmbeddedSource extends InstanceSource {
  constructor(private readonly membership: Membership) {
    super();
  }

  override async *instances(
    service: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServiceInstance[]> {
    const newest = new Newest<readonly ServiceInstance[]>();
    yield* this.read({ service, newest }, newest, signal);
  }

  override async *services(signal: AbortSignal): AsyncIterable<readonly string[]> {
    const newest = new Newest<readonly string[]>();
    yield* this.read({ newest }, newest, signal);
  }

  private async *read<T>(watch: Watch, newest: Newest<T>, signal: AbortSignal): AsyncGenerator<T> {
    const connection = await this.connect(signal);
    if (!connection) return;
    const stop = connection.watch(watch);
    try {
      yield* newest.read(signal);
    } finally {
      stop();
    }
  }

  private async connect(signal: AbortSignal): Promise<HolderConnection | undefined> {
    try {
      return await unlessAborted(this.membership.join(), signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }
}
