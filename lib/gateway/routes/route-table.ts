import type { PathPattern } from '../../discovery/manifest/path-pattern.js';
import { compileRewrite, type PathRewrite } from './path-rewrite.js';
import type { Route } from './route.js';
import { RouteMatcher } from './route-matcher.js';

/** What a request is led to. */
export interface RouteEntry {
  /** `undefined` leads to the gateway's own controllers. */
  readonly route: Route | undefined;
  /** `undefined` leaves the path as it is. */
  readonly rewrite: PathRewrite | undefined;
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
}

/**
 * All routes of a moment; it is never changed, a new one takes its place in one assignment.
 *
 * Looked at in this order: the gateway's own controllers, explicit routes by their `order`, discovered routes. Within
 * each the more specific wins: host, then segment by segment literal, mixed, parameter, wildcard; then method over all.
 */
export class RouteTable {
  private readonly tiers: readonly RouteMatcher<RouteEntry>[];
  readonly routes: readonly Route[];
  /** Whether any route asks for a host, so that a request's must be known. */
  readonly usesHosts: boolean;

  constructor(parts: RouteTableParts) {
    this.routes = [...parts.explicit, ...parts.discovered].map(({ route }) => route);
    this.usesHosts = this.routes.some(({ hosts }) => hosts.length > 0);
    const orders = [...new Set(parts.explicit.map(({ route }) => route.order))];
    const explicit = orders
      .toSorted((a, b) => a - b)
      .map((order) => parts.explicit.filter(({ route }) => route.order === order));
    this.tiers = [localTier(parts.local), ...[...explicit, parts.discovered].map(routeTier)].filter(
      (tier) => !tier.isEmpty,
    );
  }

  /** The entry for a request, or `undefined`; the path is canonical, the host without port and in small letters. */
  match(method: string, path: string, host: string): RouteEntry | undefined {
    for (const tier of this.tiers) {
      const entry = tier.find(method, path, host);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }
}

function localTier(paths: readonly LocalPath[]): RouteMatcher<RouteEntry> {
  const matcher = new RouteMatcher<RouteEntry>();
  for (const { method, pattern } of paths) {
    for (const variant of pattern.variants) {
      // A controller for everything takes what is left, not all.
      if (variant.length === 1 && variant[0]?.kind === 'wildcard') continue;
      matcher.add({ method, host: '', variant }, { route: undefined, rewrite: undefined });
    }
  }
  return matcher;
}

function routeTier(routes: readonly CompiledRoute[]): RouteMatcher<RouteEntry> {
  const matcher = new RouteMatcher<RouteEntry>();
  for (const { route, pattern, target } of routes) {
    for (const variant of pattern.variants) {
      const entry = { route, rewrite: target && compileRewrite(variant, target) };
      for (const host of route.hosts.length > 0 ? route.hosts : ['']) {
        for (const method of route.methods.length > 0 ? route.methods : ['ALL'])
          matcher.add({ method, host, variant }, entry);
      }
    }
  }
  return matcher;
}
