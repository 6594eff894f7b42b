import { shapeOf } from '../../discovery/manifest/path-pattern.js';
import { RouteDefinitionError } from '../gateway.errors.js';
import type { CompiledRoute } from './route-table.js';

/** @throws RouteDefinitionError when two routes answer the same requests, so that one would never be reached */
export function refuseTwins(routes: readonly CompiledRoute[]): void {
  const known = new Map<string, string>();
  for (const { route, pattern } of routes) {
    for (const method of route.methods.length > 0 ? route.methods : ['ALL']) {
      for (const host of route.hosts.length > 0 ? route.hosts : ['']) {
        for (const variant of pattern.variants) {
          const key = JSON.stringify([route.order, method, host, shapeOf(variant)]);
          const twin = known.get(key);
          if (twin !== undefined && twin !== route.id) refuse(route.id, twin);
          known.set(key, route.id);
        }
      }
    }
  }
  refuseSameIds(routes);
}

function refuse(id: string, twin: string): never {
  throw new RouteDefinitionError(
    id,
    `answers the same requests as '${twin}'. Change its path, method or host, or give one of them another 'order'.`,
  );
}

function refuseSameIds(routes: readonly CompiledRoute[]): void {
  const ids = new Set<string>();
  for (const { route } of routes) {
    if (ids.has(route.id))
      throw new RouteDefinitionError(route.id, "is there twice. Give each its own 'id'.");
    ids.add(route.id);
  }
}
