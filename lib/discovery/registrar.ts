import type { Server } from 'node:net';
import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Clock } from '../common/clock.js';
import { refuse } from '../common/option-readers.js';
import { DISCOVERY_BACKEND, type DiscoveryBackend } from './discovery-backend.js';
import { DISCOVERY_SETTINGS, type DiscoverySettings } from './discovery.options.js';
import { LocalInstance, type Whereabouts } from './local-instance.js';
import { OwnStatus } from './own-status.js';
import { Registration } from './registration.js';
import { RegistrationNotices } from './registration-notices.js';
import type { InstanceStatus, ServiceInstance } from './service-instance.js';
import type { ServiceRegistry } from './service-registry.js';
import { ServiceWatches } from './service-watches.js';

/**
 * Keeps this instance in the registry, from the moment its port is known until it leaves.
 *
 * With an HTTP server it begins by itself. A registry that is away never stops the application: it is tried again in
 * the background, for ever.
 *
 * @example
 * // an application without an HTTP server
 * app.get(Registrar).start(4001);
 */
@Injectable()
export class Registrar implements OnModuleInit {
  private readonly logger = new Logger('Discovery');
  private registration: Registration | undefined;
  private leaving: Promise<boolean> | undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(DISCOVERY_BACKEND) private readonly backend: DiscoveryBackend,
    @Inject(DISCOVERY_SETTINGS) private readonly settings: DiscoverySettings,
    private readonly local: LocalInstance,
    private readonly ownStatus: OwnStatus,
    private readonly watches: ServiceWatches,
    private readonly notices: RegistrationNotices,
    private readonly clock: Clock,
  ) {
    // Only now is the port known, also that of listen(0); in every hook of Nest `server.address()` is still null.
    host.listen$.subscribe(() => this.startHttp());
  }

  /** Whether this application registers itself at all. */
  get registers(): boolean {
    return this.settings.register !== false && this.backend.registry !== undefined;
  }

  /** What is in the registry at the moment, or `undefined`. */
  get registered(): ServiceInstance | undefined {
    return this.registration?.registered;
  }

  /** Whether it has begun and is not in the registry yet, or not any more. */
  get pending(): boolean {
    return this.registration !== undefined && !this.leaving && !this.registered;
  }

  /** Registers an application that has no HTTP server, with the port where it answers. Later calls do nothing. */
  start(port: number): void {
    this.begin({ port });
  }

  /** Says a status by hand, such as `'down'` for maintenance; `undefined` leaves it to health again. */
  report(status: InstanceStatus | undefined): void {
    this.ownStatus.say(status);
  }

  /** Leaves the registry for good; true if there was something to take back. */
  leave(): Promise<boolean> {
    this.leaving ??= this.takeBack();
    return this.leaving;
  }

  onModuleInit(): void {
    if (this.settings.register === true && !this.backend.registry) {
      refuse(
        'discovery.register',
        `is true, but nothing can be registered with the backend "${this.backend.name}"`,
        'Choose another backend, or leave it out.',
      );
    }
    // Without a name this application could not register later, when nobody reads its first lines any more.
    if (this.registers && this.host.httpAdapter) this.local.requireName();
  }

  private startHttp(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    const address = server.address();
    // TLS servers have it, plain ones have not.
    const scheme = 'setSecureContext' in server ? 'https' : 'http';
    if (address !== null && typeof address === 'object') {
      this.begin({ port: address.port, bound: address.address, scheme });
    } else if (this.settings.host !== undefined && this.settings.port !== undefined) {
      this.begin({ port: this.settings.port, scheme });
    } else if (this.registers) {
      this.logger.warn(
        `This application listens on ${address ?? 'no address'}, which callers cannot reach, so it is not registered. Listen on a TCP port, or set discovery.host and discovery.port to where a proxy answers for it.`,
      );
    }
  }

  private begin(whereabouts: Whereabouts): void {
    const { registry } = this.backend;
    if (!registry || !this.registers || this.registration || this.leaving) return;
    const instance = this.local.settle(whereabouts);
    if (!instance) return;
    const registration = this.keep(registry, instance);
    this.local.onChange(() => registration.replace());
    this.ownStatus.onChange(() => registration.refresh());
    this.notices.onReturn(() => registration.retry());
    this.registration = registration;
  }

  private keep(registry: ServiceRegistry, instance: ServiceInstance): Registration {
    const own = this.watches.get(instance.service);
    return new Registration({
      registry,
      clock: this.clock,
      heartbeat: this.settings.heartbeat.interval,
      instance: () => ({
        ...(this.local.current ?? instance),
        status: this.ownStatus.current,
      }),
      isShown: (id) => (own.answered && !own.view.stale ? own.shows(id) : undefined),
      onRegistered: (registered) => this.notices.registered(registered),
      onLost: (lost, why) => this.notices.lost(lost, why),
      onFailure: (error) => this.notices.failed(error),
      onAnswer: () => this.notices.answered(),
    });
  }

  private async takeBack(): Promise<boolean> {
    const instance = await this.registration?.stop();
    if (instance) this.notices.left(instance);
    return instance !== undefined;
  }
}
