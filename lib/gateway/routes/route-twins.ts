import { messageOf } from '../../common/errors.js';
import { shapeOf } from '../../discovery/manifest/path-pattern.js';
import { RouteDefinitionError } from '../gateway.errors.js';
import type { CompiledRoute } from './route-table.js';

/** Routes that cannot be told apart. Those with predicates can, by whoever wrote them. */
class Twins {
  private readonly places = new Map<string, string>();
  private readonly ids = new Set<string>();

  /** @throws RouteDefinitionError when a route before it answers the same requests, so that it would never be reached */
  add({ route, pattern }: CompiledRoute): void {
    const keys = keysOf({ route, pattern });
    const twin = keys.map((key) => this.places.get(key)).find((id) => id !== undefined);
    if (twin !== undefined && twin !== route.id) refuse(route.id, twin);
    if (this.ids.has(route.id))
      throw new RouteDefinitionError(route.id, "is there twice. Give each its own 'id'.");
    this.ids.add(route.id);
    for (const key of keys) this.places.set(key, route.id);
  }
}

/** @throws RouteDefinitionError when two routes answer the same requests, so that one would never be reached */
export function refuseTwins(routes: readonly CompiledRoute[]): void {
  const twins = new Twins();
  for (const route of routes) twins.add(route);
}

/** The routes without those that a route before them makes unreachable; those are refused, a sentence each. */
export function withoutTwins(
  routes: readonly CompiledRoute[],
  refused: string[],
): readonly CompiledRoute[] {
  const twins = new Twins();
  return routes.filter((route) => {
    try {
      twins.add(route);
      return true;
    } catch (error) {
      refused.push(messageOf(error));
      return false;
    }
  });
}

function keysOf({ route, pattern }: Pick<CompiledRoute, 'route' | 'pattern'>): readonly string[] {
  const asked = route.predicates === undefined ? '' : route.id;
  const methods = route.methods.length > 0 ? route.methods : ['ALL'];
  const hosts = route.hosts.length > 0 ? route.hosts : [''];
  return methods.flatMap((method) =>
    hosts.flatMap((host) =>
      pattern.variants.map((variant) =>
        JSON.stringify([route.order, method, host, shapeOf(variant), asked]),
      ),
    ),
  );
}

function refuse(id: string, twin: string): never {
  throw new RouteDefinitionError(
    id,
    `answers the same requests as '${twin}'. Change its path, method or host, or give one of them another 'order'.`,
  );
}
