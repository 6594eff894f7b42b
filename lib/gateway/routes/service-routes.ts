import { messageOf } from '../../common/errors.js';
import { manifestFromMetadata } from '../../discovery/manifest/manifest-metadata.js';
import { type CheckedRoute, readManifest } from '../../discovery/manifest/manifest-reader.js';
import { textOfPredicates } from '../../discovery/manifest/route-predicates.js';
import { shapeOf } from '../../discovery/manifest/path-pattern.js';
import { DIGEST_KEY } from '../../discovery/manifest/route-manifest.js';
import type { ServiceInstance } from '../../discovery/service-instance.js';
import type { DiscoveredRoute, RouteDefinition } from './route-definition.js';

/** What is known of one manifest. */
interface Manifest {
  readonly routes: readonly CheckedRoute[];
  readonly refused: readonly string[];
}

/** What new instances of a service mean for its routes. */
export interface RoutesUpdate {
  /** Whether its routes, or what of them is refused, may be others than when they were last asked for. */
  readonly changed: boolean;
  /** The digests whose manifests must be fetched. */
  readonly missing: readonly string[];
}

/** The public routes of one service, out of the manifests its instances publish; each is read once. */
export class ServiceRoutes {
  private readonly manifests = new Map<string, Manifest>();
  private instances: readonly ServiceInstance[] = [];
  /** How the manifests are spread over the instances, as a text to compare. */
  private spread = '';
  /** The routes of now, until something changes: the same objects spare others their work. */
  private made: readonly DiscoveredRoute[] | undefined;

  constructor(readonly service: string) {}

  /** Takes the service's instances of now. Most changes of instances leave the routes as they are. */
  update(instances: readonly ServiceInstance[]): RoutesUpdate {
    const before = this.spread;
    this.instances = instances;
    const counts = this.digests();
    this.spread = counts.size === 0 ? '' : JSON.stringify([instances.length, ...counts]);
    if (this.spread !== before) {
      this.made = undefined;
      for (const digest of this.manifests.keys())
        if (!counts.has(digest)) this.manifests.delete(digest);
    }
    const missing = this.discover();
    return { changed: this.made === undefined, missing: [...missing] };
  }

  /** Takes the text of a manifest that was fetched. */
  learn(digest: string, text: () => string | undefined): void {
    try {
      const body = text();
      if (body === undefined) return;
      this.manifests.set(digest, readManifest(this.service, body));
    } catch (error) {
      this.manifests.set(digest, { routes: [], refused: [messageOf(error)] });
    }
    this.made = undefined;
  }

  /** Whether some instance publishes a manifest whose text is not known. */
  lacks(digest: string): boolean {
    return !this.manifests.has(digest) && this.digests().has(digest);
  }

  get refused(): readonly string[] {
    return [...this.manifests.values()].flatMap(({ refused }) => refused);
  }

  /** The routes of all instances; of a route that only some have, their digests are named. */
  routes(): readonly DiscoveredRoute[] {
    return (this.made ??= this.make());
  }

  private make(): readonly DiscoveredRoute[] {
    const places = new Map<string, Map<string, Offer>>();
    for (const [digest, count] of this.digests()) {
      for (const route of this.manifests.get(digest)?.routes ?? []) {
        const place = placeOf(route);
        const offers = places.get(place) ?? new Map<string, Offer>();
        places.set(place, offers);
        const offer = offers.get(route.to) ?? newOffer(route);
        offer.digests.add(digest);
        offer.instances += count;
        // Of two builds the stricter one holds for both.
        for (const hidden of route.hides ?? []) offer.hides.add(hidden);
        offer.builds.push(route);
        offers.set(route.to, offer);
      }
    }
    return [...places.values()].map((offers) => this.toRoute(best([...offers.values()])));
  }

  private toRoute({ route, digests, instances, hides, builds }: Offer): DiscoveredRoute {
    const { id, method, path, to, hosts, predicates, timeout, metadata, pattern, target } = route;
    const everywhere = instances === this.instances.length;
    return {
      id,
      path,
      to: this.service,
      patterns: { path: pattern, rewrite: target },
      ...(to !== path && { rewrite: to }),
      ...(method !== 'ALL' && { method }),
      ...(hosts && { host: hosts }),
      ...(predicates && { predicates }),
      ...(hides.size > 0 && { hides: [...hides] }),
      ...(timeout !== undefined && { timeout }),
      ...strictest(builds),
      ...(metadata && { metadata }),
      ...(!everywhere && { digests }),
    };
  }

  /** How many instances have each manifest. */
  private digests(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { metadata } of this.instances) {
      const digest = metadata[DIGEST_KEY];
      if (digest !== undefined) counts.set(digest, (counts.get(digest) ?? 0) + 1);
    }
    return counts;
  }

  /** Reads the manifests that instances bring along; gives the digests of those they only name. */
  private discover(): ReadonlySet<string> {
    const missing = new Set<string>();
    for (const { metadata } of this.instances) {
      const digest = metadata[DIGEST_KEY];
      if (digest === undefined || this.manifests.has(digest)) continue;
      if (!/^[0-9a-f]{12}$/.test(digest)) continue;
      this.learn(digest, () => manifestFromMetadata(this.service, metadata));
      if (!this.manifests.has(digest)) missing.add(digest);
    }
    return missing;
  }
}

/** A way of serving a place, and who can. */
interface Offer {
  readonly route: CheckedRoute;
  readonly digests: Set<string>;
  readonly hides: Set<string>;
  /** The route as each build has it. */
  readonly builds: CheckedRoute[];
  instances: number;
}

function newOffer(route: CheckedRoute): Offer {
  return { route, digests: new Set(), hides: new Set(), builds: [], instances: 0 };
}

/** Builds that lead one public path to different paths of their own cannot be mixed: most instances decide. */
function best(offers: readonly Offer[]): Offer {
  return offers.reduce((a, b) => (b.instances > a.instances ? b : a));
}

function placeOf({ method, pattern, hosts, predicates }: CheckedRoute): string {
  const shapes = pattern.variants.map(shapeOf);
  return JSON.stringify([method, hosts ?? [], shapes, textOfPredicates(predicates)]);
}

/** Of builds that are live together the strictest holds: the rules and limits of all, and public only if all are. */
function strictest(
  builds: readonly CheckedRoute[],
): Pick<RouteDefinition, 'auth' | 'public' | 'rateLimits'> {
  const auth = distinct(builds.flatMap((build) => build.auth ?? []));
  const rateLimits = distinct(builds.flatMap((build) => build.rateLimits ?? []));
  const open = builds.every((build) => build.public === true);
  const closed = builds.some((build) => build.public === false);
  return {
    ...(auth.length > 0 && { auth }),
    ...(open && { public: true }),
    ...(!open && closed && { public: false }),
    ...(rateLimits.length > 0 && { rateLimits }),
  };
}

function distinct<T>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
