import { parsePath, type PathVariant, shapeOf } from '../../discovery/manifest/path-pattern.js';
import { areDisjoint } from './predicate-overlap.js';
import type { DiscoveredRoute } from './route-definition.js';

/** A route that is not served, because its place belongs to another service. */
export interface RouteConflict {
  /** Which route lost: `orders#OrdersController.find`. */
  readonly route: string;
  readonly service: string;
  readonly method: string;
  readonly path: string;
  /** Who has the place. */
  readonly owner: string;
  /** The route that keeps it; absent where a claim of the gateway's options decided. */
  readonly ownerRoute?: string;
}

export interface SettledRoutes {
  readonly served: readonly DiscoveredRoute[];
  readonly conflicts: readonly RouteConflict[];
}

/** What a route asks for. */
interface Wanted {
  readonly variants: readonly PathVariant[];
  readonly keys: readonly { readonly place: string; readonly method: string }[];
}

interface Place {
  readonly service: string;
  readonly route: DiscoveredRoute;
}

/** Who answers where: by the place, by the method, and among them by predicates that no request passes at once. */
type Places = Map<string, Map<string, Place[]>>;

/**
 * Decides which service a place of the public paths belongs to: methods, host and the shape of a path.
 *
 * The owner is whom the gateway's options name, else who had it first; services that appear together are taken by
 * name, so that every gateway decides alike. Never are two services served under one path.
 */
export class RouteClaims {
  private readonly claims: readonly { readonly service: string; readonly path: PathVariant }[];
  private owners: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  /** What a route's path means; sources give the same objects as long as nothing changes. */
  private readonly known = new WeakMap<DiscoveredRoute, Wanted>();

  /** @param claims by service, the paths that are its own, with all below them */
  constructor(claims: Readonly<Record<string, readonly string[]>>) {
    this.claims = Object.entries(claims).flatMap(([service, paths]) =>
      paths.map((path) => ({ service, path: parsePath(path).variants[0] ?? [] })),
    );
  }

  /** Settles all discovered routes of a moment, and remembers who has what. */
  settle(routes: readonly DiscoveredRoute[]): SettledRoutes {
    const served: DiscoveredRoute[] = [];
    const conflicts: RouteConflict[] = [];
    const places: Places = new Map();
    for (const route of this.inOrder(routes)) {
      const conflict = this.conflictOf(route, places);
      if (conflict) conflicts.push(conflict);
      else {
        served.push(route);
        occupy(route, this.wantedBy(route), places);
      }
    }
    this.owners = ownersIn(places);
    return { served, conflicts };
  }

  private inOrder(routes: readonly DiscoveredRoute[]): readonly DiscoveredRoute[] {
    const sorted = routes.toSorted((a, b) => compare(a.to, b.to) || compare(a.id, b.id));
    // Who asks for what it has; then who asks for something else at a place of its own.
    const owned = sorted.filter((route) => this.ownsAll(route, askedBy(route)));
    const near = sorted.filter((route) => this.ownsAll(route, ''));
    return [...new Set([...owned, ...near, ...sorted])];
  }

  private ownsAll(route: DiscoveredRoute, asked: string): boolean {
    return this.wantedBy(route).keys.every(({ place, method }) =>
      this.owners.get(keyOf(method, place, asked))?.has(route.to),
    );
  }

  private conflictOf(route: DiscoveredRoute, places: Places): RouteConflict | undefined {
    const { id, to: service, path } = route;
    const claim = this.foreignClaim(route);
    for (const { place, method } of this.wantedBy(route).keys) {
      const conflict = { route: id, service, method, path };
      if (claim !== undefined) return { ...conflict, owner: claim };
      const other = occupants(places.get(place), method).find(
        (each) => each.service !== service && !areDisjoint(each.route.predicates, route.predicates),
      );
      if (other) return { ...conflict, owner: other.service, ownerRoute: other.route.id };
    }
    return undefined;
  }

  private wantedBy(route: DiscoveredRoute): Wanted {
    const known = this.known.get(route) ?? wantedBy(route);
    this.known.set(route, known);
    return known;
  }

  /** The service that claims a part of what a route would answer. */
  private foreignClaim(route: DiscoveredRoute): string | undefined {
    const { variants } = this.wantedBy(route);
    const claims = this.claims.filter(({ path }) => variants.some((each) => overlaps(each, path)));
    if (claims.some(({ service }) => service === route.to)) return undefined;
    return claims[0]?.service;
  }
}

/** Whether some path is matched by a pattern and lies at or below another. */
function overlaps(variant: PathVariant, claimed: PathVariant): boolean {
  for (const [index, theirs] of claimed.entries()) {
    const ours = variant[index];
    if (!ours) return false;
    if (ours.kind === 'wildcard' || theirs.kind === 'wildcard') return true;
    if (ours.kind === 'literal' && theirs.kind === 'literal' && ours.text !== theirs.text)
      return false;
  }
  return true;
}

function occupy(route: DiscoveredRoute, { keys }: Wanted, places: Places): void {
  for (const { place, method } of keys) {
    const methods = places.get(place) ?? new Map<string, Place[]>();
    const all = methods.get(method) ?? [];
    all.push({ service: route.to, route });
    methods.set(method, all);
    places.set(place, methods);
  }
}

/** Who answers a method there; one for all methods answers each of them. */
function occupants(
  methods: ReadonlyMap<string, readonly Place[]> | undefined,
  method: string,
): readonly Place[] {
  if (!methods) return [];
  if (method === 'ALL') return [...methods.values()].flat();
  return [...(methods.get(method) ?? []), ...(methods.get('ALL') ?? [])];
}

/** Who has what, by the place with what is asked of requests there, and by the place alone. */
function ownersIn(places: Places): Map<string, Set<string>> {
  const owners = new Map<string, Set<string>>();
  const add = (key: string, service: string) =>
    owners.set(key, (owners.get(key) ?? new Set()).add(service));
  for (const [place, methods] of places) {
    for (const [method, all] of methods) {
      for (const { service, route } of all) {
        add(keyOf(method, place, askedBy(route)), service);
        add(keyOf(method, place, ''), service);
      }
    }
  }
  return owners;
}

function keyOf(method: string, place: string, asked: string): string {
  return `${method} ${place} ${asked}`;
}

/** What a route asks of requests, as a text; never empty, so that it is told from the place alone. */
function askedBy({ predicates }: DiscoveredRoute): string {
  return predicates === undefined ? '[]' : JSON.stringify(predicates);
}

/** The places a route takes: one for each host, way through its path, and method. */
function wantedBy(route: DiscoveredRoute): Wanted {
  const hosts = listOf(route.host);
  const methods = listOf(route.method);
  const { variants } = parsePath(route.path);
  const keys = (hosts.length > 0 ? hosts : ['']).flatMap((host) =>
    variants
      .map(shapeOf)
      .flatMap((shape) =>
        (methods.length > 0 ? methods : ['ALL']).map((method) => ({ place: host + shape, method })),
      ),
  );
  return { variants, keys };
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
