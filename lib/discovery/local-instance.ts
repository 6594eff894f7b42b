import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { ServiceIdentity } from '../common/service-identity.js';
import { type AdvertisedAddress, chooseAddress, isWildcard } from './advertised-address.js';
import { isLoopback } from './backends/loopback.js';
import { DISCOVERY_BACKEND, type DiscoveryBackend } from './discovery-backend.js';
import { DISCOVERY_SETTINGS, type DiscoverySettings } from './discovery.options.js';
import { instanceMetadata } from './instance-metadata.js';
import { RegistrationSigner } from './registration-signature.js';
import type { ServiceInstance } from './service-instance.js';
import { sourceAddressTo } from './source-address.js';

/** What can be added to what this instance says of itself. */
export interface Announcement {
  /** Keys of letters, digits, `_` and `-`; values of at most 512 characters; 64 keys in all. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Further ports by name, such as `{ tcp: 4001 }`. */
  readonly ports?: Readonly<Record<string, number>>;
  readonly tags?: readonly string[];
}

/** Where this application answers. */
export interface Whereabouts {
  readonly port: number;
  /** The address the server is bound to; undefined when nobody knows. */
  readonly bound?: string;
  readonly scheme?: 'http' | 'https';
}

/** What this application says of itself to the registry. */
@Injectable()
export class LocalInstance {
  private readonly logger = new Logger('Discovery');
  private readonly listeners = new Set<() => void>();
  private readonly signer: RegistrationSigner | undefined;
  private towardsRegistry: string | undefined;
  private announced: Required<Announcement>;
  private base: Omit<ServiceInstance, keyof Announcement | 'status'> | undefined;
  private whole: ServiceInstance | undefined;

  constructor(
    @Inject(DISCOVERY_SETTINGS) private readonly settings: DiscoverySettings,
    @Inject(DISCOVERY_BACKEND) private readonly backend: DiscoveryBackend,
    private readonly identity: ServiceIdentity,
    private readonly clock: Clock,
  ) {
    const { signing } = settings;
    this.signer = signing === undefined ? undefined : new RegistrationSigner(signing);
    this.announced = { metadata: settings.metadata, ports: {}, tags: settings.tags };
  }

  /** Where it runs, if the options say so; known before anything else is. */
  get zone(): string | undefined {
    return this.settings.zone;
  }

  /** This instance, or `undefined` until its port is known. */
  get current(): ServiceInstance | undefined {
    return this.whole;
  }

  /**
   * Adds to what this instance says of itself. After registration it registers again with it.
   *
   * @throws InvalidOptionsError when a registry could not carry the metadata
   * @example
   * this.localInstance.announce({ ports: { tcp: 4001 }, tags: ['canary'] });
   */
  announce({ metadata = {}, ports = {}, tags = [] }: Announcement): void {
    const before = this.announced;
    this.announced = {
      metadata: instanceMetadata({ ...before.metadata, ...metadata }, 'metadata'),
      ports: { ...before.ports, ...ports },
      tags: [...new Set([...before.tags, ...tags])],
    };
    this.renew();
  }

  /** Refuses to start without a name. */
  requireName(): void {
    void this.identity.name;
  }

  /** Looks from which address the registry is reached, if that is to decide. */
  async prepare(): Promise<void> {
    const { peer, remote } = this.backend;
    if (this.settings.host !== undefined || !remote || !peer) return;
    this.towardsRegistry = await sourceAddressTo(peer, this.clock);
  }

  /** Decides who we are, now that it is known where we answer; nothing when callers could not reach us. */
  settle(whereabouts: Whereabouts): ServiceInstance | undefined {
    const address = this.chooseAddress(whereabouts.bound);
    if (!address) return undefined;
    const { host } = address;
    const service = this.identity.name;
    const port = this.settings.port ?? whereabouts.port;
    const { zone, weight } = this.settings;
    const version = this.identity.version;
    this.base = {
      id: `${service}-${host.replaceAll(/[^\w.-]/g, '-')}-${port}-${randomSuffix()}`,
      service,
      host,
      port,
      scheme: this.settings.scheme ?? whereabouts.scheme ?? 'http',
      weight,
      ...(zone !== undefined && { zone }),
      ...(version !== undefined && { version }),
    };
    this.logger.log(
      `This instance is ${this.base.id}; callers are given ${host} (${address.reason}).`,
    );
    this.renew();
    return this.whole;
  }

  /** Hears of every change; returns how to stop. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private chooseAddress(bound: string | undefined): AdvertisedAddress | undefined {
    const { host, network } = this.settings;
    // A signature holds for one address only: not for the one that an agent on this machine would put in place of loopback.
    const remote = this.backend.remote || this.signer !== undefined;
    const { towardsRegistry } = this;
    const facts = {
      host,
      network,
      env: process.env,
      bound,
      remote,
      towardsRegistry,
      interfaces: networkInterfaces(),
    };
    const address = chooseAddress(facts);
    if (!address) {
      this.logger.warn(
        'This machine has no address that others could reach, so this instance is not registered. Set discovery.host, or POD_IP.',
      );
    } else if (remote) this.warnOfLoopback(address, bound);
    return address;
  }

  private warnOfLoopback(address: AdvertisedAddress, bound: string | undefined): void {
    if (isLoopback(address.host)) {
      this.logger.warn(
        `discovery.host is ${address.host}: only callers on this machine reach this instance, though the registry "${this.backend.name}" serves others too.`,
      );
    } else if (bound !== undefined && !isWildcard(bound) && isLoopback(bound)) {
      this.logger.warn(
        `Callers are given ${address.host}, but the server listens on ${bound} only, where nobody else reaches it. Write app.listen(port, '0.0.0.0').`,
      );
    }
  }

  private renew(): void {
    if (!this.base) return;
    const whole: ServiceInstance = { ...this.base, ...this.announced, status: 'up' };
    this.whole = this.signer?.sign(whole) ?? whole;
    for (const listener of this.listeners) listener();
  }
}

/** Four characters: processes that share host and port, as a cluster's workers do, must not share the id. */
function randomSuffix(): string {
  return [...randomBytes(4)].map((byte) => (byte % 36).toString(36)).join('');
}
