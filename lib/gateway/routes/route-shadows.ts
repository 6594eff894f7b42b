import { parsePath, type PathVariant, shapeOf } from '../../discovery/manifest/path-pattern.js';
import type { DiscoveredRoute } from './route-definition.js';

/** Two routes of different services that can match the same request; the more specific one answers it. */
export interface RouteShadow {
  /** The route that answers, and whose it is. */
  readonly route: string;
  readonly service: string;
  readonly path: string;
  /** The route that would have answered without it. */
  readonly shadowed: string;
  readonly shadowedService: string;
  readonly shadowedPath: string;
}

interface Known {
  readonly route: DiscoveredRoute;
  readonly variants: readonly PathVariant[];
}

/** Finds the shadows among served routes; routes whose first segments differ as texts are never compared. */
export function findShadows(routes: readonly DiscoveredRoute[]): readonly RouteShadow[] {
  const byFirst = new Map<string, Known[]>();
  const open: Known[] = [];
  const found: RouteShadow[] = [];
  for (const route of routes) {
    const known = { route, variants: (route.patterns?.path ?? parsePath(route.path)).variants };
    const first = firstOf(known.variants);
    const near = first === undefined ? [...byFirst.values()].flat() : (byFirst.get(first) ?? []);
    for (const other of [...near, ...open]) {
      const shadow = shadowOf(known, other);
      if (shadow) found.push(shadow);
    }
    if (first === undefined) open.push(known);
    else byFirst.set(first, [...(byFirst.get(first) ?? []), known]);
  }
  return found;
}

/** The text that every way begins with; undefined when there is none. */
function firstOf(variants: readonly PathVariant[]): string | undefined {
  const firsts = variants.map(([first]) => (first?.kind === 'literal' ? first.text : undefined));
  return firsts.every((text) => text === firsts[0]) ? firsts[0] : undefined;
}

function shadowOf(a: Known, b: Known): RouteShadow | undefined {
  if (a.route.to === b.route.to || !shareMethod(a.route, b.route)) return undefined;
  if (JSON.stringify(a.route.host ?? []) !== JSON.stringify(b.route.host ?? [])) return undefined;
  for (const one of a.variants) {
    for (const two of b.variants) {
      if (shapeOf(one) === shapeOf(two) || !overlap(one, two)) continue;
      return isFirst(one, two) ? tell(a.route, b.route) : tell(b.route, a.route);
    }
  }
  return undefined;
}

function tell(winner: DiscoveredRoute, loser: DiscoveredRoute): RouteShadow {
  return {
    route: winner.id,
    service: winner.to,
    path: winner.path,
    shadowed: loser.id,
    shadowedService: loser.to,
    shadowedPath: loser.path,
  };
}

function shareMethod(a: DiscoveredRoute, b: DiscoveredRoute): boolean {
  const [ours, theirs] = [[a.method ?? []].flat(), [b.method ?? []].flat()];
  if (ours.length === 0 || theirs.length === 0) return true;
  return ours.some((method) => theirs.includes(method));
}

/** Whether some path is matched by both. */
function overlap(a: PathVariant, b: PathVariant): boolean {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [one, two] = [a[at], b[at]];
    if (!one || !two) return false;
    if (one.kind === 'wildcard' || two.kind === 'wildcard') return true;
    if (one.kind === 'literal' && two.kind === 'literal' && one.text !== two.text) return false;
  }
  return true;
}

const RANKS = { literal: 0, mixed: 1, param: 2, wildcard: 3 } as const;

/** Whether one is looked at before another: at the first segment where they differ, the more specific. */
function isFirst(a: PathVariant, b: PathVariant): boolean {
  for (const [at, one] of a.entries()) {
    const two = b[at];
    if (!two) return true;
    if (RANKS[one.kind] !== RANKS[two.kind]) return RANKS[one.kind] < RANKS[two.kind];
  }
  return true;
}
