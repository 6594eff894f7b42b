import type { PredicateSpec } from '../predicates/route-predicate.js';

/** What is said of one name: `Header x-beta`, and the values that are looked for. */
interface Said {
  readonly subject: string;
  readonly values: readonly string[];
}

/**
 * Whether no request can pass the predicates of both: they look for different values of the same header, cookie or query
 * parameter, or for different versions of the same interface. What cannot be known so is taken for an overlap.
 */
export function areDisjoint(
  one: readonly PredicateSpec[] = [],
  other: readonly PredicateSpec[] = [],
): boolean {
  const theirs = other.map(read).filter((said) => said !== undefined);
  return one.some((spec) => {
    const said = read(spec);
    return theirs.some(
      ({ subject, values }) =>
        subject === said?.subject && !values.some((value) => said.values.includes(value)),
    );
  });
}

function read(spec: PredicateSpec): Said | undefined {
  if (typeof spec !== 'object') return undefined;
  const [[name, args] = ['', undefined]] = Object.entries(spec);
  if (typeof args !== 'object' || args === null) return undefined;
  const given = args as Readonly<Record<string, unknown>>;
  const kind = name.toLowerCase();
  if (kind === 'version') return readVersion(given);
  const values = [given['value'] ?? []].flat().filter((value) => typeof value === 'string');
  const named = given['name'];
  if (!['header', 'cookie', 'query'].includes(kind) || typeof named !== 'string') return undefined;
  const subject = `${kind} ${kind === 'header' ? named.toLowerCase() : named}`;
  return values.length > 0 ? { subject, values } : undefined;
}

/** Whole main versions, `1` and `1.x`; of other ranges it is not known what they have in common. */
function readVersion(args: Readonly<Record<string, unknown>>): Said | undefined {
  const { range, header, query, neutral } = args;
  const major = typeof range === 'string' ? /^v?(\d+)(?:\.[x*])?$/.exec(range)?.[1] : undefined;
  if (major === undefined || neutral === true) return undefined;
  const place =
    typeof query === 'string'
      ? ['query', query]
      : ['header', typeof header === 'string' ? header.toLowerCase() : 'x-api-version'];
  return { subject: `version ${place.join(' ')}`, values: [major] };
}
