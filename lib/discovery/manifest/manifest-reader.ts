import { messageOf } from '../../common/errors.js';
import { list } from '../../common/option-readers.js';
import type { AccessRule } from '../../security/access-rule.js';
import { readAccessRule } from '../../security/access-rule.options.js';
import { type RateLimit, readRateLimit } from '../../security/rate-limits/rate-limit.js';
import { ManifestError } from './manifest.errors.js';
import { isRouteHost } from './route-host.js';
import { MANIFEST_PATH, type ManifestRoute } from './route-manifest.js';
import { problemOfPredicates, type RoutePredicateData } from './route-predicates.js';
import { canFill, parsePath, type PathPattern } from './path-pattern.js';

/** A route out of a manifest whose every field was checked. */
export interface CheckedRoute extends ManifestRoute {
  readonly pattern: PathPattern;
  readonly target: PathPattern;
}

/** What a manifest says, and what of it cannot be served. */
export interface CheckedManifest {
  readonly routes: readonly CheckedRoute[];
  /** Why single routes were left out, a sentence each. */
  readonly refused: readonly string[];
}

const MOST_ROUTES = 10_000;
const LONGEST_PATH = 1_024;
const LONGEST_TEXT = 256;
const MOST_KEYS = 32;
const MOST_HOSTS = 16;
/** So many hidden handlers can one route cover. */
export const MOST_HIDDEN = 256;
const LONGEST_TIMEOUT = 86_400_000;
const MOST_RULES = 16;
const FIELDS = new Set([
  'id',
  'method',
  'path',
  'to',
  'hosts',
  'predicates',
  'hides',
  'timeout',
  'auth',
  'public',
  'rateLimits',
  'metadata',
]);

/**
 * Reads a manifest that a stranger may have written.
 *
 * A route with a field unknown here is left out: it could be a rule, such as who may call it, that this version
 * would not keep.
 *
 * @throws ManifestError when the text as a whole cannot be trusted
 */
export function readManifest(service: string, body: string): CheckedManifest {
  const manifest = parse(service, body);
  if (manifest['v'] !== 1)
    throw new ManifestError(service, 'has a version that is not known here; update the gateway');
  if (manifest['service'] !== service) throw new ManifestError(service, 'names another service');
  const list: unknown = manifest['routes'];
  if (!Array.isArray(list)) throw new ManifestError(service, 'has no list of routes');
  if (list.length > MOST_ROUTES)
    throw new ManifestError(service, `has more than ${MOST_ROUTES} routes`);
  const routes: CheckedRoute[] = [];
  const refused: string[] = [];
  list.forEach((item: unknown, index) => {
    const route = readRoute(item);
    if (typeof route === 'string') refused.push(`Route ${index} of "${service}" ${route}.`);
    else routes.push(route);
  });
  return { routes, refused };
}

function parse(service: string, body: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw new ManifestError(service, 'is no JSON', error);
  }
  if (!isObject(value)) throw new ManifestError(service, 'is no object');
  return value;
}

/** The checked route, or what is wrong with it. */
function readRoute(item: unknown): CheckedRoute | string {
  if (!isObject(item)) return 'is no object';
  const strange = Object.keys(item).find((key) => !FIELDS.has(key));
  if (strange !== undefined) return 'has a field that is not known here; update the gateway';
  const { id, method, path, to, hosts, predicates, hides, timeout, metadata } = item;
  if (!isText(id) || !isText(path, LONGEST_PATH) || !isText(to, LONGEST_PATH))
    return 'lacks an id or a path';
  if (typeof method !== 'string' || !/^[A-Z]{3,16}$/.test(method)) return 'has no method';
  if (hosts !== undefined && !isHostList(hosts)) return 'has no proper hosts';
  const problem = predicates === undefined ? undefined : problemOfPredicates(predicates);
  if (problem !== undefined) return problem;
  if (hides !== undefined && !isPathList(hides)) return 'has no proper list of what it hides';
  if (timeout !== undefined && !isTimeout(timeout)) return 'has no proper timeout';
  const access = readAccess(item);
  if (typeof access === 'string') return access;
  const data = metadata === undefined ? undefined : readMetadata(metadata);
  if (data === null) return 'has no proper metadata';
  if (path.startsWith(MANIFEST_PATH.slice(0, MANIFEST_PATH.lastIndexOf('/'))))
    return 'claims a path that is kept for manifests';
  const paths = readPaths(path, to);
  if (typeof paths === 'string') return paths;
  return {
    id,
    method,
    path,
    to,
    ...paths,
    ...(hosts && { hosts }),
    ...(predicates !== undefined && { predicates: predicates as RoutePredicateData[] }),
    ...(hides && { hides }),
    ...(timeout !== undefined && { timeout }),
    ...access,
    ...(data && { metadata: data }),
  };
}

function readPaths(
  path: string,
  to: string,
): { readonly pattern: PathPattern; readonly target: PathPattern } | string {
  try {
    const pattern = parsePath(path);
    const target = parsePath(to);
    return canFill(target, pattern) ? { pattern, target } : 'lacks a parameter of its own target';
  } catch {
    return 'has a path that cannot be matched';
  }
}

type Access = Pick<ManifestRoute, 'auth' | 'public' | 'rateLimits'>;

/** Who may use a route, or what is wrong with what it says of it. */
function readAccess(item: Readonly<Record<string, unknown>>): Access | string {
  const { auth, public: open, rateLimits } = item;
  if (open !== undefined && typeof open !== 'boolean') return 'is neither public nor not';
  if (open === true && auth !== undefined) return 'is public and says who may use it';
  if (isLong(auth) || isLong(rateLimits)) return 'has too many rules or limits';
  try {
    if (auth !== undefined) list(readAccessRule)(auth, 'auth');
    if (rateLimits !== undefined) list(readRateLimit)(rateLimits, 'rateLimits');
  } catch (error) {
    return `cannot be kept: ${messageOf(error)}`;
  }
  return {
    ...(auth !== undefined && { auth: auth as readonly AccessRule[] }),
    ...(open !== undefined && { public: open }),
    ...(rateLimits !== undefined && { rateLimits: rateLimits as readonly RateLimit[] }),
  };
}

function isLong(value: unknown): boolean {
  return Array.isArray(value) && value.length > MOST_RULES;
}

function readMetadata(value: unknown): ManifestRoute['metadata'] | null {
  if (!isObject(value)) return null;
  const entries = Object.entries(value);
  if (entries.length > MOST_KEYS) return null;
  // Without a prototype, so that a key such as `__proto__` is a key and nothing else.
  const data = Object.create(null) as Record<string, string | number | boolean>;
  for (const [key, item] of entries) {
    if (key.length > LONGEST_TEXT) return null;
    if (typeof item === 'number' || typeof item === 'boolean') data[key] = item;
    else if (typeof item === 'string' && item.length <= LONGEST_TEXT) data[key] = item;
    else return null;
  }
  return data;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown, longest = LONGEST_TEXT): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > longest) return false;
  return !/\p{Cc}/u.test(value);
}

function isHostList(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MOST_HOSTS &&
    value.every(isRouteHost)
  );
}

function isPathList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= MOST_HIDDEN && value.every(isPath);
}

function isPath(value: unknown): value is string {
  if (!isText(value, LONGEST_PATH)) return false;
  try {
    return parsePath(value).variants.length > 0;
  } catch {
    return false;
  }
}

function isTimeout(value: unknown): value is number {
  return (
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LONGEST_TIMEOUT
  );
}
