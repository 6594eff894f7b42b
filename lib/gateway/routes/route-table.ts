import type { PathPattern } from '../../discovery/manifest/path-pattern.js';
import type { PredicateRequest } from '../predicates/predicate-request.js';
import { WeightGroups } from '../predicates/weight-groups.js';
import { shareOf } from '../predicates/weight.predicate.js';
import { compileRewrite, type PathRewrite } from './path-rewrite.js';
import type { Route } from './route.js';
import { RouteMatcher } from './route-matcher.js';

/** What a request is led to. */
export interface RouteEntry {
  /** `undefined` leads to the gateway's own controllers. */
  readonly route: Route | undefined;
  /** `undefined` leaves the path as it is. */
  readonly rewrite: PathRewrite | undefined;
  /** The next route of the same place, where predicates tell them apart. */
  otherwise: RouteEntry | undefined;
}

/** A route with what its paths mean. */
export interface CompiledRoute {
  readonly route: Route;
  readonly pattern: PathPattern;
  readonly target: PathPattern | undefined;
}

/** A path that the gateway's own controllers answer. */
export interface LocalPath {
  readonly method: string;
  readonly pattern: PathPattern;
}

/** The routes of a moment, made once and never changed; a new one takes its place. */
export interface RouteTableParts {
  readonly local: readonly LocalPath[];
  readonly explicit: readonly CompiledRoute[];
  readonly discovered: readonly CompiledRoute[];
  /** Looked at last. */
  readonly fallback?: readonly CompiledRoute[];
  /** How explicit routes of one order stand to each other. @default 'specificity' */
  readonly strategy?: 'specificity' | 'declaration';
}

/**
 * All routes of a moment; it is never changed, a new one takes its place in one assignment.
 *
 * Looked at in this order: the gateway's own controllers, explicit routes by their `order`, discovered routes. Within
 * each the more specific wins: host, then segment by segment literal, mixed, parameter, wildcard; then method over all; then
 * more predicates over fewer. Behind them come the services by their names, where that is wanted.
 */
export class RouteTable {
  private readonly tiers: readonly RouteMatcher<RouteEntry>[];
  readonly routes: readonly Route[];
  /** Whether any route asks for a host, so that a request's must be known. */
  readonly usesHosts: boolean;
  /** Whether any route has predicates, so that more of a request must be known. */
  readonly usesPredicates: boolean;
  private readonly groups = new WeightGroups();
  private readonly byId: ReadonlyMap<string, Route>;

  constructor(readonly parts: RouteTableParts) {
    const { fallback = [] } = parts;
    this.routes = [...parts.explicit, ...parts.discovered, ...fallback].map(({ route }) => route);
    this.usesHosts = this.routes.some(({ hosts }) => hosts.length > 0);
    this.usesPredicates = this.routes.some(({ predicates }) => predicates !== undefined);
    this.byId = new Map(this.routes.map((route) => [route.id, route]));
    for (const route of this.routes) this.group(route);
    const tiers = [...explicitTiers(parts), parts.discovered, fallback].map(routeTier);
    this.tiers = [localTier(parts.local), ...tiers].filter((tier) => !tier.isEmpty);
  }

  /** The route of an id. */
  routeOf(id: string): Route | undefined {
    return this.byId.get(id);
  }

  /** The entry for a request, or `undefined`; the path is canonical, the host without port and in small letters. */
  match(method: string, path: string, host: string): RouteEntry | undefined {
    for (const tier of this.tiers) {
      const entry = tier.find(method, path, host);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /** The same where predicates are asked as well. */
  matchWhere(request: PredicateRequest): RouteEntry | undefined {
    request.groups = this.groups;
    const choose = (entry: RouteEntry) => choice(entry, request);
    for (const tier of this.tiers) {
      const entry = tier.findWhere(request, choose);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  private group({ id, predicates = [] }: Route): void {
    for (const { test } of predicates) {
      const share = shareOf(test);
      if (share) this.groups.add(share.group, { route: id, weight: share.weight });
    }
  }
}

/** Of the routes of one place, the first whose predicates a request passes. */
function choice(first: RouteEntry, request: PredicateRequest): RouteEntry | undefined {
  for (let entry: RouteEntry | undefined = first; entry; entry = entry.otherwise) {
    const predicates = entry.route?.predicates;
    if (predicates === undefined || predicates.every(({ test }) => test(request))) return entry;
  }
  return undefined;
}

/** As written each explicit route is looked at by itself; usually only their order keeps them apart. */
function explicitTiers({ explicit, strategy }: RouteTableParts): readonly CompiledRoute[][] {
  const byOrder = explicit.toSorted((a, b) => a.route.order - b.route.order);
  if (strategy === 'declaration') return byOrder.map((route) => [route]);
  const orders = [...new Set(byOrder.map(({ route }) => route.order))];
  return orders.map((order) => byOrder.filter(({ route }) => route.order === order));
}

function localTier(paths: readonly LocalPath[]): RouteMatcher<RouteEntry> {
  const matcher = new RouteMatcher<RouteEntry>();
  for (const { method, pattern } of paths) {
    for (const variant of pattern.variants) {
      // A controller for everything takes what is left, not all.
      if (variant.length === 1 && variant[0]?.kind === 'wildcard') continue;
      matcher.add(
        { method, host: '', variant },
        {
          route: undefined,
          rewrite: undefined,
          otherwise: undefined,
        },
      );
    }
  }
  return matcher;
}

function routeTier(routes: readonly CompiledRoute[]): RouteMatcher<RouteEntry> {
  const matcher = new RouteMatcher<RouteEntry>(append);
  for (const { route, pattern, target } of routes.toSorted(byPredicates)) {
    for (const variant of pattern.variants) {
      const rewrite = target && compileRewrite(variant, target);
      for (const host of route.hosts.length > 0 ? route.hosts : ['']) {
        for (const method of route.methods.length > 0 ? route.methods : ['ALL'])
          matcher.add({ method, host, variant }, { route, rewrite, otherwise: undefined });
      }
    }
  }
  return matcher;
}

/** Who asks for more is the more specific; of equals the first written comes first. */
function byPredicates(a: CompiledRoute, b: CompiledRoute): number {
  return (b.route.predicates?.length ?? 0) - (a.route.predicates?.length ?? 0);
}

function append(known: RouteEntry, further: RouteEntry): void {
  let last = known;
  while (last.otherwise) last = last.otherwise;
  last.otherwise = further;
}
