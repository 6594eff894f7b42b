import { Inject, Injectable, Logger, type OnApplicationShutdown, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { createHash } from 'node:crypto';
import { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import { refuse } from '../../common/option-readers.js';
import type { AccessRule } from '../../security/access-rule.js';
import type { Authenticator } from '../../security/authenticator.js';
import { IdentityIssuer } from '../../security/identity/identity-issuer.js';
import { MemoryRateLimits } from '../../security/rate-limits/memory-rate-limits.js';
import { networkKey } from '../../security/rate-limits/network-key.js';
import { type RateLimitSettings, readRateLimit } from '../../security/rate-limits/rate-limit.js';
import type { RateLimitStore } from '../../security/rate-limits/rate-limiter.js';
import { Upstreams } from '../../upstream/upstreams.js';
import { RouteDefinitionError } from '../gateway.errors.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import { trustedProxies } from '../proxy/trusted-proxies.js';
import type { AccessPolicy, AccessRequest } from './access-policy.js';
import { readCors } from './cors.options.js';
import type { DoorStep } from './door-step.js';
import { FailureBans } from './failure-bans.js';
import { ForwardAuthenticator } from './forward-auth.authenticator.js';
import { IDENTITY_HEADERS } from './identity-headers.js';
import { limitKeyOf } from './limit-key.js';
import type { RouteAccess } from './route-access.js';
import { RouteDoor } from './route-door.js';
import type { SecuritySettings } from './security.options.js';
import { AddressStep } from './address.step.js';
import { AuthenticationStep } from './authentication.step.js';
import { AuthorizationStep } from './authorization.step.js';
import { ConcurrencyStep, ConcurrentVisits } from './concurrency.step.js';
import { CorsStep } from './cors.step.js';
import { CsrfStep } from './csrf.step.js';
import { IdentityStep } from './identity.step.js';
import { RateLimitStep } from './rate-limit.step.js';
import { visitCredentials } from './visit-credentials.js';

type RouteName = AccessRequest['route'];

/** Makes the doors of routes, of what the gateway and the routes themselves say of who may use them. */
@Injectable()
export class GatewayDoors implements OnApplicationShutdown {
  private readonly logger = new Logger('GatewaySecurity');
  private readonly security: SecuritySettings;
  private readonly store: RateLimitStore;
  private readonly issuer: IdentityIssuer | undefined;
  private readonly removed: ReadonlySet<string>;
  private readonly shared: readonly DoorStep[];
  private readonly authenticators: Authenticator[] = [];
  private readonly policies: AccessPolicy[] = [];
  private readonly bans: FailureBans | undefined;

  constructor(
    private readonly modules: ModuleRef,
    private readonly clock: Clock,
    private readonly upstreams: Upstreams,
    @Inject(GATEWAY_SETTINGS) { security }: GatewaySettings,
  ) {
    this.security = security;
    if (security.policies.length > 0 && security.authenticators.length === 0)
      refuse(
        'gateway.security.policies',
        'stand without authenticators',
        'Name who is known first.',
      );
    this.store = security.store ?? new MemoryRateLimits({ clock });
    this.issuer = security.identity && new IdentityIssuer(security.identity, clock);
    this.removed = new Set([...IDENTITY_HEADERS, ...security.identityHeaders].map(plain));
    this.bans = this.makeBans();
    this.shared = this.addressSteps();
  }

  /** Makes what needs time, before any request comes. @throws InvalidOptionsError */
  async ready(): Promise<void> {
    for (const each of this.security.policies) this.policies.push(await this.instance(each));
    for (const each of this.security.authenticators) {
      const authenticator = await this.instance(each);
      if (authenticator instanceof ForwardAuthenticator) authenticator.bind(this.upstreams);
      await authenticator.ready();
      this.authenticators.push(authenticator);
    }
    await this.issuer?.ready();
    await this.store.ready();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.store.close();
  }

  /** The door of a route; undefined when everyone may pass as they are. @throws RouteDefinitionError */
  of(route: RouteName, access: RouteAccess): RouteDoor | undefined {
    const isPublic = this.isPublic(route, access);
    const steps = [
      ...this.shared,
      ...this.browserSteps(route, access),
      ...this.limitSteps(route, access, isPublic ? () => true : isByRequest),
      ...(isPublic ? [] : this.accessSteps(route, access)),
      ...(isPublic ? [] : this.limitSteps(route, access, (limit) => !isByRequest(limit))),
      ...this.identitySteps(route),
    ];
    return steps.length === 0 ? undefined : new RouteDoor(steps);
  }

  private isPublic(route: RouteName, access: RouteAccess): boolean {
    const isKnown = this.security.authenticators.length > 0;
    const isOpen =
      access.public ?? (this.security.access ?? (isKnown ? '' : 'public')) === 'public';
    const isAsked = access.public === false || access.auth !== undefined;
    if (access.public === true && access.auth !== undefined)
      throw new RouteDefinitionError(route.id, "is public and has 'auth'. Keep one.");
    if (isAsked && !isKnown) {
      throw new RouteDefinitionError(
        route.id,
        'wants to know its callers, but this gateway knows nobody. Set gateway.security.authenticators.',
      );
    }
    return isOpen && !isAsked;
  }

  private addressSteps(): readonly DoorStep[] {
    const { addresses, concurrency } = this.security;
    const { allow, deny, hook } = addresses;
    const rules = {
      isAllowed: allow && trustedProxies(allow),
      isDenied: trustedProxies(deny),
      hook,
    };
    const visits = new ConcurrentVisits(concurrency, ({ clientAddress }) =>
      networkKey(clientAddress),
    );
    return [
      ...(allow || deny.length > 0 || hook ? [new AddressStep(rules)] : []),
      ...(concurrency > 0 ? [new ConcurrencyStep(visits)] : []),
    ];
  }

  private browserSteps({ id }: RouteName, { cors }: RouteAccess): readonly DoorStep[] {
    const { csrf } = this.security;
    const own = cors === undefined || cors === false ? undefined : readCors(cors, `${id}: cors`);
    const settings = cors === false ? undefined : (own ?? this.security.cors);
    return [...(settings ? [new CorsStep(settings)] : []), ...(csrf ? [new CsrfStep(csrf)] : [])];
  }

  private limitSteps(
    { id }: RouteName,
    { rateLimits = [] }: RouteAccess,
    isMeant: (limit: RateLimitSettings) => boolean,
  ): readonly DoorStep[] {
    const own = rateLimits.map((limit, at) => {
      const read = readRateLimit(limit, `${id}: rateLimits[${at}]`);
      // Counts of its own, unless it says with whom it shares them.
      return read.name === 'default' ? { ...read, name: nameOf(id) } : read;
    });
    return [...this.security.rateLimits, ...own].filter(isMeant).map((limit) => {
      const named =
        limit.by === 'route' ? { ...limit, name: `${limit.name}-${nameOf(id)}` } : limit;
      const limiter = this.store.open(named);
      return new RateLimitStep({ limit, limiter, keyOf: limitKeyOf(limit.by) });
    });
  }

  private accessSteps(route: RouteName, { auth }: RouteAccess): readonly DoorStep[] {
    const { authenticators, policies, bans } = this;
    const rules: readonly AccessRule[] = auth === undefined ? [] : [auth].flat();
    const asks = rules.length > 0 || this.security.policies.length > 0;
    const onPolicyFailed = (policy: AccessPolicy, error: unknown) =>
      this.logger.error(
        `${policy.constructor.name} threw, so it allows nothing: ${messageOf(error)}`,
      );
    return [
      new AuthenticationStep({ authenticators, bans, credentialsOf: visitCredentials }),
      ...(asks ? [new AuthorizationStep({ rules, policies, route, onPolicyFailed })] : []),
    ];
  }

  private identitySteps({ to }: RouteName): readonly DoorStep[] {
    const { authenticators, identity, relayCredentials } = this.security;
    if (authenticators.length === 0 && !identity && this.security.identityHeaders.length === 0)
      return [];
    const shown = relayCredentials ? [] : this.authenticators.flatMap(({ headers }) => headers);
    const removed = new Set([...this.removed, ...shown.map(plain)]);
    return [new IdentityStep({ removed, issuer: this.issuer, audience: to })];
  }

  private makeBans(): FailureBans | undefined {
    const { failures, authenticators } = this.security;
    if (failures === false || authenticators.length === 0) return undefined;
    const { limit, per, ban } = failures;
    const settings = { limit, per, burst: limit, cost: 1, by: 'ip' } as const;
    const limiter = this.store.open({ ...settings, name: 'failures', algorithm: 'token-bucket' });
    const onBan = (address: string) =>
      this.logger.warn(
        `${address} has shown bad credentials too often and is kept out for ${ban / 1_000}s.`,
      );
    return new FailureBans({ limiter, banFor: ban, clock: this.clock, onBan });
  }

  private async instance<T extends object>(given: T | Type<T>): Promise<T> {
    if (typeof given !== 'function') return given;
    try {
      return this.modules.get<T>(given, { strict: false });
    } catch {
      return this.modules.create<T>(given);
    }
  }
}

/** Limits that can be counted before anyone knows who sent a request; they also spare the knowing. */
function isByRequest({ by }: RateLimitSettings): boolean {
  return by === 'ip' || by === 'route' || by.startsWith('header:');
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** A route's id as a part of keys. */
function nameOf(id: string): string {
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 8);
  return `${id.replaceAll(/[^\w-]+/g, '-').slice(0, 48)}-${digest}`;
}
