import { createHash } from 'node:crypto';
import type { AccessRule } from '../../security/access-rule.js';
import type { RateLimit } from '../../security/rate-limits/rate-limit.js';
import type { RoutePredicateData } from './route-predicates.js';

/** A route as a service says it to gateways. */
export interface ManifestRoute {
  /** Which handler answers: `orders#OrdersController.find`. */
  readonly id: string;
  /** In capitals; `ALL` is every method. */
  readonly method: string;
  /** The public path, in Nest's syntax. */
  readonly path: string;
  /** The service's own path, with parameters of the public one. */
  readonly to: string;
  /** The hosts it answers for; absent for all. */
  readonly hosts?: readonly string[];
  /** What a request must pass beside path, method and host; absent for nothing. */
  readonly predicates?: readonly RoutePredicateData[];
  /** The service's own paths that it must not lead to, though `to` covers them: their handlers are not public. */
  readonly hides?: readonly string[];
  /** How long the answer's head may take, in ms; absent for the gateway's own choice. */
  readonly timeout?: number;
  /** Who may use it; all rules must hold. Absent for whoever the gateway knows. */
  readonly auth?: readonly AccessRule[];
  /** Whether everyone may use it. */
  readonly public?: boolean;
  readonly rateLimits?: readonly RateLimit[];
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
}

/** All that a build of a service makes public. Instances of the same build have the same manifest. */
interface RouteManifest {
  readonly v: 1;
  readonly service: string;
  readonly routes: readonly ManifestRoute[];
}

/** A manifest as it travels: its text, and the digest that names it. */
export interface SealedManifest {
  /** The first 12 hexadecimal digits of the text's SHA-256. */
  readonly digest: string;
  /** JSON with sorted keys. */
  readonly body: string;
}

/** Where a service serves its manifest, for gateways that find only the digest in the registry. */
export const MANIFEST_PATH = '/.well-known/rookery/manifest';

/** The instance metadata that names a manifest. */
export const DIGEST_KEY = 'rookery-digest';

/** A manifest's text and digest; equal routes give equal digests, in whatever order they were found. */
export function sealManifest(service: string, routes: readonly ManifestRoute[]): SealedManifest {
  const sorted = routes.toSorted((a, b) => compare(keyOf(a), keyOf(b)));
  const manifest: RouteManifest = { v: 1, service, routes: sorted };
  const body = canonicalJson(manifest);
  return { digest: digestOf(body), body };
}

/** The digest of a manifest's text. */
export function digestOf(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 12);
}

function keyOf(route: ManifestRoute): string {
  return JSON.stringify([
    route.path,
    route.method,
    route.to,
    route.hosts ?? [],
    route.id,
    route.predicates ?? [],
  ]);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** JSON whose keys are sorted and whose absent fields are left out. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => compare(a, b)));
  });
}
