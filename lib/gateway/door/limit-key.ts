import { networkKey } from '../../security/rate-limits/network-key.js';
import type { RateLimitKey } from '../../security/rate-limits/rate-limit.js';
import { claimOf } from '../../security/principal.js';
import { headerOf } from '../proxy/headers.js';
import type { Visit } from './visit.js';

/** Longer values of a client's own would fill the tables of counts. */
const LONGEST = 128;

/** Under which key a visit is counted; what is not known of it counts by address. */
export function limitKeyOf(by: RateLimitKey): (visit: Visit) => string {
  if (by === 'ip') return addressKey;
  // All share one count; which route it is stands in the limit's name.
  if (by === 'route') return () => 'all';
  if (by === 'subject')
    return (visit) =>
      visit.principal === undefined
        ? addressKey(visit)
        : `s:${visit.principal.issuer} ${visit.principal.subject}`;
  if (by === 'tenant') return (visit) => keyed('t', visit.principal?.tenant, visit);
  const name = by.slice(by.indexOf(':') + 1);
  if (by.startsWith('header:'))
    return (visit) => keyed(`h:${name}`, headerOf(visit.rawHeaders, name.toLowerCase()), visit);
  return (visit) =>
    keyed(`c:${name}`, plainText(claimOf(visit.principal?.claims ?? {}, name)), visit);
}

function addressKey({ clientAddress }: Visit): string {
  return networkKey(clientAddress);
}

function keyed(kind: string, value: string | undefined, visit: Visit): string {
  return value === undefined || value === ''
    ? addressKey(visit)
    : `${kind}:${value.slice(0, LONGEST)}`;
}

function plainText(claim: unknown): string | undefined {
  return typeof claim === 'string' || typeof claim === 'number' ? String(claim) : undefined;
}
