import type { IncomingHttpHeaders } from 'node:http';
import { RequestTarget } from '../proxy/path.js';
import { PredicateRequest } from '../predicates/predicate-request.js';
import { RouteMatcher } from './route-matcher.js';
import type { CompiledRoute, RouteEntry, RouteTable } from './route-table.js';
import type { Route } from './route.js';

/** A request to be explained. */
export interface ExplainedRequest {
  /** @default GET */
  readonly method?: string;
  /** The path and query, or an address with its host. */
  readonly url: string;
  /** @default none */
  readonly headers?: Readonly<IncomingHttpHeaders>;
  /** The peer's address. @default 127.0.0.1 */
  readonly address?: string;
}

/** A route whose path matches, but which is not taken. */
export interface ShadowedRoute {
  readonly id: string;
  readonly path: string;
  readonly why: string;
}

/** What becomes of a request, and why. */
export interface RouteExplanation {
  /** `local`: the gateway's own controllers. `refused`: the path could be understood in two ways, and is answered 400. */
  readonly decision: 'route' | 'local' | 'none' | 'refused';
  /** In a sentence. */
  readonly why: string;
  /** The path as routes see it. */
  readonly path?: string;
  /** The id of the route that is taken. */
  readonly route?: string;
  readonly to?: string;
  /** The upstream's path and query, before filters. */
  readonly target?: string;
  /** What it passes at the route's door, then guards and filters, in their order. */
  readonly filters: readonly string[];
  /** The other routes whose path matches. */
  readonly shadowed: readonly ShadowedRoute[];
}

/** Tells what a table does with a request, by asking it; a draw by weight is made anew. */
export function explainRequest(
  table: RouteTable,
  asked: ExplainedRequest,
  encodedSlash: boolean,
): RouteExplanation {
  const target = new RequestTarget(encodedSlash);
  if (!target.read(asked.url)) {
    const why = 'Its path can be understood in more than one way, or not at all.';
    return { decision: 'refused', why, filters: [], shadowed: [] };
  }
  const rawHeaders = rawOf(asked.headers ?? {});
  const host = target.authority || (asked.headers?.host ?? '');
  const request = new PredicateRequest({
    method: asked.method ?? 'GET',
    path: target.matched,
    query: target.query,
    host: host.replace(/:\d*$/, '').toLowerCase(),
    rawHeaders,
    address: asked.address ?? '127.0.0.1',
  });
  const entry = table.matchWhere(request);
  const shadowed = shadowedBy(table, entry, request);
  const path = target.matched;
  if (entry?.route === undefined) {
    const isLocal = entry !== undefined;
    const why = isLocal
      ? 'A controller of the gateway answers there.'
      : 'No route has its path, method and host.';
    return { decision: isLocal ? 'local' : 'none', why, path, filters: [], shadowed };
  }
  const { route, rewrite } = entry;
  return {
    decision: 'route',
    why: reasonOf(route),
    path,
    route: route.id,
    to: route.to,
    target: (rewrite === undefined ? target.path : rewrite(target.path)) + target.query,
    filters: [...(route.door?.names ?? []), ...route.filterNames],
    shadowed,
  };
}

function reasonOf({ id, path, predicates = [] }: Route): string {
  const passed = predicates.map(({ name }) => name).join(', ');
  const beside = passed === '' ? '' : `, it passes ${passed},`;
  return `Of the routes that match, '${id}' is the most specific: its path is '${path}'${beside} and no route stands before it.`;
}

function shadowedBy(
  table: RouteTable,
  taken: RouteEntry | undefined,
  request: PredicateRequest,
): readonly ShadowedRoute[] {
  const { explicit, discovered, fallback = [] } = table.parts;
  return [...explicit, ...discovered, ...fallback]
    .filter((each) => each.route !== taken?.route && matchesPath(each, request.path))
    .map(({ route }) => ({ id: route.id, path: route.path, why: whyNot(route, taken, request) }));
}

function whyNot(route: Route, taken: RouteEntry | undefined, request: PredicateRequest): string {
  const { method, host } = request;
  if (!answersMethod(route, method))
    return `It answers ${route.methods.join(', ')}, not ${method}.`;
  if (!answersHost(route, host))
    return `It answers the hosts ${route.hosts.join(', ')}, not '${host}'.`;
  const failed = route.predicates?.find(({ test }) => !test(request));
  if (failed) return `Its predicate ${failed.name} says no.`;
  const winner = taken?.route;
  if (winner === undefined) return 'A controller of the gateway stands before it.';
  if (winner.source !== route.source)
    return `'${winner.id}' is ${winner.source}, and stands before what is ${route.source}.`;
  if (winner.order !== route.order)
    return `Its order is ${route.order}, and that of '${winner.id}' is ${winner.order}.`;
  return `'${winner.id}' is more specific, or was there first.`;
}

function answersMethod({ methods }: Route, method: string): boolean {
  if (methods.length === 0 || methods.includes(method)) return true;
  return method === 'HEAD' && methods.includes('GET');
}

function answersHost({ hosts }: Route, host: string): boolean {
  return (
    hosts.length === 0 ||
    hosts.some((each) => (each.startsWith('*') ? host.endsWith(each.slice(1)) : host === each))
  );
}

function matchesPath({ pattern }: CompiledRoute, path: string): boolean {
  const matcher = new RouteMatcher<true>();
  for (const variant of pattern.variants) matcher.add({ method: 'ALL', host: '', variant }, true);
  return matcher.find('ALL', path, '') === true;
}

function rawOf(headers: Readonly<IncomingHttpHeaders>): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).flatMap((each) => [name, each]),
  );
}
