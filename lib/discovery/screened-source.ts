import { Inject, Injectable, Logger } from '@nestjs/common';
import { EventHub } from '../common/event-hub.js';
import { isServiceName } from '../common/service-identity.js';
import { AddressRules } from './address-rules.js';
import { DISCOVERY_BACKEND, type DiscoveryBackend } from './discovery-backend.js';
import { DISCOVERY_SETTINGS, type DiscoverySettings } from './discovery.options.js';
import { InstanceSource } from './instance-source.js';
import { TrustedSigners } from './registration-signature.js';
import type { ServiceInstance } from './service-instance.js';

/** An instance that stands in the registry and is not called. */
export interface RefusedInstance {
  readonly instance: ServiceInstance;
  readonly reason: string;
}

/** So many refused instances are remembered; whoever floods a registry must not fill our memory. */
const MOST = 1_000;

/**
 * What the registry shows, without what must not be called: addresses that are forbidden or not allowed, registrations that
 * nobody trusted has signed, and names that are no names.
 *
 * What is left out is told once, and can be looked at (`DiscoveryClient.refused`).
 */
@Injectable()
export class ScreenedSource extends InstanceSource {
  private readonly logger = new Logger('Discovery');
  private readonly rules: AddressRules;
  private readonly signers: TrustedSigners;
  private readonly quarantine = new Map<string, ReadonlyMap<string, RefusedInstance>>();

  constructor(
    @Inject(DISCOVERY_BACKEND) private readonly backend: DiscoveryBackend,
    @Inject(DISCOVERY_SETTINGS) settings: DiscoverySettings,
    private readonly events: EventHub,
  ) {
    super();
    this.rules = new AddressRules(settings.allow);
    this.signers = new TrustedSigners(settings.trust);
  }

  /** How long the registry itself says that what it does not show after a break is to be kept, in ms. */
  get returnHold(): number | undefined {
    return this.backend.returnHold;
  }

  /** The instances that are left out at the moment. */
  get refused(): readonly RefusedInstance[] {
    return [...this.quarantine.values()].flatMap((each) => Array.from(each.values()));
  }

  override async *instances(
    service: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServiceInstance[]> {
    let passed: readonly ServiceInstance[] = [];
    for await (const all of this.backend.source.instances(service, signal)) {
      passed = this.screen(service, all, passed);
      yield passed;
    }
  }

  override async *services(signal: AbortSignal): AsyncIterable<readonly string[]> {
    for await (const names of this.backend.source.services(signal)) {
      yield names.filter((name) => isServiceName(name));
    }
  }

  private screen(
    service: string,
    all: readonly ServiceInstance[],
    known: readonly ServiceInstance[],
  ): readonly ServiceInstance[] {
    const refused = new Map<string, RefusedInstance>();
    const passed: ServiceInstance[] = [];
    for (const instance of all) {
      // Where one of a thousand has changed, the others are the objects that have passed before, in the same order.
      const hasPassed = instance === known[passed.length];
      const reason = hasPassed ? undefined : this.problemOf(service, instance);
      if (reason === undefined) passed.push(instance);
      else if (refused.size < MOST) refused.set(instance.id, { instance, reason });
    }
    this.tell(service, refused);
    return passed;
  }

  private problemOf(service: string, instance: ServiceInstance): string | undefined {
    if (instance.service !== service) return 'it is of another service';
    return this.rules.problemOf(instance) ?? this.signers.problemOf(instance);
  }

  private tell(service: string, refused: ReadonlyMap<string, RefusedInstance>): void {
    const before = this.quarantine.get(service);
    if (refused.size === 0) this.quarantine.delete(service);
    else this.quarantine.set(service, refused);
    for (const [id, { instance, reason }] of refused) {
      if (before?.get(id)?.reason === reason) continue;
      this.logger.warn(`The instance ${id} of "${service}" is not called: ${reason}.`);
      this.events.emit('instance.refused', { instance, reason });
    }
  }
}
