import { parseDuration } from '../../common/duration.js';
import { InvalidOptionsError, messageOf } from '../../common/errors.js';
import {
  GATEWAY_ROUTE,
  type GatewayRouteMark,
  type GatewayRouteOptions,
} from './gateway-route.decorator.js';
import { canReach } from './hidden-paths.js';
import { MOST_HIDDEN, readManifest } from './manifest-reader.js';
import { parsePath, type PathPattern, shapeOf } from './path-pattern.js';
import type { CollectedRoute } from './route-collector.js';
import { isRouteHost } from './route-host.js';
import type { ManifestRoute } from './route-manifest.js';
import { textOfPredicates } from './route-predicates.js';

/**
 * The routes among all of an application that `@GatewayRoute` makes public.
 *
 * @throws InvalidOptionsError where a decorator asks for what cannot be; the sentence names class, method and remedy
 */
export function exposedRoutes(
  service: string,
  collected: readonly CollectedRoute[],
): readonly ManifestRoute[] {
  const hidden = collected.filter((route) => !isExposed(route));
  const routes = collected.filter(isExposed).flatMap((route) => {
    const above = markOf(route.controller) || undefined;
    const own = markOf(route.handler) || undefined;
    return expose(service, route, [above, own]).map((entry) => hiding(route, entry, hidden));
  });
  return withoutTwins(routes);
}

function isExposed(route: CollectedRoute): boolean {
  return (markOf(route.handler) ?? markOf(route.controller) ?? false) !== false;
}

/** A public `/items/:id` would reach a handler of `/items/admin` that nobody made public. */
function hiding(
  route: CollectedRoute,
  entry: ManifestRoute,
  hidden: readonly CollectedRoute[],
): ManifestRoute {
  const meant = parsePath(entry.to);
  const covered = hidden.filter(
    ({ method, path }) => meetsMethod(method, entry.method) && isCovered(meant, path),
  );
  const hides = [...new Set(covered.map(({ path }) => modern(path)))].toSorted();
  if (hides.length > MOST_HIDDEN) {
    refuse(
      route,
      `makes '${entry.path}' public, which covers ${hides.length} handlers that are not public`,
      `Give it a narrower path, so that it covers at most ${MOST_HIDDEN}.`,
    );
  }
  return hides.length === 0 ? entry : { ...entry, hides };
}

function isCovered(meant: PathPattern, path: string): boolean {
  try {
    return canReach(meant, parsePath(modern(path)));
  } catch {
    // Fastify takes expressions in paths, which cannot be compared.
    return false;
  }
}

/** `HEAD` follows `GET`. */
function meetsMethod(one: string, other: string): boolean {
  const [a, b] = [one, other].map((method) => (method === 'HEAD' ? 'GET' : method));
  return a === b || a === 'ALL' || b === 'ALL';
}

/** Whether a decorator says anything of a route. */
export function isMarked(route: CollectedRoute): boolean {
  return (markOf(route.handler) ?? markOf(route.controller)) !== undefined;
}

function markOf(target: object): GatewayRouteMark | undefined {
  return Reflect.getMetadata(GATEWAY_ROUTE, target) as GatewayRouteMark | undefined;
}

type Marks = readonly [
  above: Exclude<GatewayRouteMark, false> | undefined,
  own: Exclude<GatewayRouteMark, false> | undefined,
];

function expose(service: string, route: CollectedRoute, [above, own]: Marks): ManifestRoute[] {
  const options: GatewayRouteOptions = {
    ...above?.options,
    ...own?.options,
    metadata: { ...above?.options.metadata, ...own?.options.metadata },
    predicates: [...(above?.options.predicates ?? []), ...(own?.options.predicates ?? [])],
  };
  const path = publicPath(route, above?.path, own?.path);
  checkPaths(route, path);
  const timeout = readTimeout(route, options);
  const hosts = readHosts(route, options);
  const { predicates = [] } = options;
  const metadata = options.metadata ?? {};
  return methodsOf(route, options).map((method) =>
    checked(service, route, {
      id: `${service}#${route.name}`,
      method,
      path,
      to: modern(route.path),
      ...(hosts && { hosts }),
      ...(predicates.length > 0 && { predicates }),
      ...(timeout !== undefined && { timeout }),
      ...accessOf(route, above?.options, own?.options),
      ...(Object.keys(metadata).length > 0 && { metadata }),
    }),
  );
}

/** What a handler says of who may use it comes on top of its controller's words, which it cannot take back but as a whole. */
function accessOf(
  route: CollectedRoute,
  above: GatewayRouteOptions = {},
  own: GatewayRouteOptions = {},
): Pick<ManifestRoute, 'auth' | 'public' | 'rateLimits'> {
  if (own.public && own.auth) refuse(route, "is public and has 'auth'", 'Keep one.');
  const auth = own.public ? [] : [above.auth ?? [], own.auth ?? []].flat();
  const open = own.public ?? (own.auth ? undefined : above.public);
  const rateLimits = own.rateLimits ?? above.rateLimits ?? [];
  return {
    ...(auth.length > 0 && { auth }),
    ...(open !== undefined && { public: open }),
    ...(rateLimits.length > 0 && { rateLimits }),
  };
}

function publicPath(route: CollectedRoute, above: string | undefined, own: string | undefined) {
  if (own !== undefined) return clean(own);
  if (above === undefined) return clean(route.path);
  return clean(`${above}${route.path.slice(route.prefix.length)}`);
}

/** One slash before each segment, none at the end, and Nest's older stars in their newer form. */
function clean(path: string): string {
  return modern(`/${path}`.replaceAll(/\/{2,}/g, '/').replace(/(.)\/$/, '$1'));
}

/** `/files/*` and `/files/(.*)` as Nest itself turns them into what its routers take. */
function modern(path: string): string {
  return path.replace(/\/(?:\*|\(\.\*\))$/, '/{*path}');
}

function checkPaths(route: CollectedRoute, path: string): void {
  try {
    const pattern = parsePath(path);
    const missing = parsePath(modern(route.path)).params.find(
      (name) => !pattern.params.includes(name),
    );
    if (missing === undefined) return;
    refuse(
      route,
      `makes '${path}' public, which lacks ':${missing}' of '${route.path}'`,
      `Add ':${missing}' to the public path.`,
    );
  } catch (error) {
    if (error instanceof InvalidOptionsError) throw error;
    refuse(
      route,
      `cannot be public: ${messageOf(error)}`,
      'Give it a path of names, parameters and a last wildcard.',
    );
  }
}

function readTimeout(route: CollectedRoute, { timeout }: GatewayRouteOptions): number | undefined {
  if (timeout === undefined) return undefined;
  const ms = parseDuration(timeout);
  return (
    ms ??
    refuse(route, `has the timeout ${String(timeout)}, which is no duration`, "Write it like '2s'.")
  );
}

function readHosts(
  route: CollectedRoute,
  { host: wanted }: GatewayRouteOptions,
): readonly string[] | undefined {
  if (wanted !== undefined && route.hosts)
    refuse(
      route,
      'has a host in @GatewayRoute and another one in its controller',
      'The service answers for that of its controller only: leave the other one out.',
    );
  const hosts = wanted === undefined ? route.hosts : [wanted].flat();
  return hosts?.map((host) => {
    if (isRouteHost(host)) return host;
    return refuse(
      route,
      `is bound to the host '${String(host)}', which a gateway cannot match`,
      'Use a whole host name in small letters, or hide it with @GatewayRoute(false).',
    );
  });
}

function methodsOf(route: CollectedRoute, { methods }: GatewayRouteOptions): readonly string[] {
  if (methods === undefined) return [route.method];
  const wanted = methods.map((method) => method.toUpperCase());
  if (route.method === 'ALL') return wanted;
  return wanted.filter((method) => method === route.method);
}

/** What a gateway would refuse is said here, where someone can mend it. */
function checked(service: string, route: CollectedRoute, entry: ManifestRoute): ManifestRoute {
  const body = JSON.stringify({ v: 1, service, routes: [entry] });
  const [reason] = readManifest(service, body).refused;
  if (reason === undefined) return entry;
  return refuse(
    route,
    `cannot be public: ${reason.replace(/^Route 0 of "[^"]*" /, 'it ').replace(/\.$/, '')}`,
    'Change the options of @GatewayRoute.',
  );
}

/**
 * One public path leads to one path of the service. Handlers that share one, told apart by a version header, are one
 * route: the service itself chooses among them.
 */
function withoutTwins(routes: readonly ManifestRoute[]): readonly ManifestRoute[] {
  const known = new Map<string, ManifestRoute>();
  for (const route of routes) {
    const shape = shapeOf(parsePath(route.path).variants[0] ?? []);
    const asked = textOfPredicates(route.predicates);
    const key = JSON.stringify([route.method, shape, route.hosts ?? [], asked]);
    const twin = known.get(key);
    if (twin && twin.to !== route.to) {
      throw new InvalidOptionsError(
        `@GatewayRoute makes ${route.method} ${route.path} public twice: ${nameOf(twin)} answers at '${twin.to}', ${nameOf(route)} at '${route.to}'. Give one of them another path.`,
      );
    }
    if (!twin) known.set(key, route);
  }
  return [...known.values()];
}

function nameOf(route: ManifestRoute): string {
  return route.id.slice(route.id.indexOf('#') + 1);
}

function refuse(route: { readonly name: string }, problem: string, remedy: string): never {
  throw new InvalidOptionsError(`${route.name} ${problem}. ${remedy}`);
}
