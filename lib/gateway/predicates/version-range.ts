type Version = readonly [number, number, number];

interface Bounds {
  readonly from: Version;
  /** The first version beyond; undefined when there is none. */
  readonly to: Version | undefined;
}

/**
 * Reads a range of versions: `1.4.2`, `1.4` or `1.4.x` (any patch), `1.x`, `^1.2`, `~1.2`, `1.2+`, `>=1.2`, `<2`, several
 * joined by spaces, alternatives by `||`. Undefined when it is none.
 */
export function parseVersionRange(text: string): ((version: string) => boolean) | undefined {
  const ways: (readonly Bounds[])[] = [];
  for (const way of text.split('||')) {
    const bounds = way.trim().split(/\s+/).map(parseBounds);
    const known = bounds.filter((each) => each !== undefined);
    if (known.length !== bounds.length) return undefined;
    ways.push(known);
  }
  return (version) => {
    const read = parseVersion(version);
    return read !== undefined && ways.some((way) => way.every((bounds) => isWithin(read, bounds)));
  };
}

const RANGE = /^(\^|~|>=|<=|>|<|=)?v?(\d{1,9})(?:\.(\d{1,9}|[x*]))?(?:\.(\d{1,9}|[x*]))?(\+)?$/;

function parseBounds(text: string): Bounds | undefined {
  if (text === '*' || text === 'x') return { from: [0, 0, 0], to: undefined };
  const [, sign = '', major, minor, patch, plus] = RANGE.exec(text) ?? [];
  if (major === undefined || (plus !== undefined && sign !== '')) return undefined;
  const parts = [major, minor, patch]
    .filter((part) => part !== undefined && /^\d+$/.test(part))
    .map(Number);
  const from: Version = [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0];
  const end = beyond(from, parts.length);
  if (plus !== undefined || sign === '>=') return { from, to: undefined };
  if (sign === '>') return { from: end, to: undefined };
  if (sign === '<') return { from: [0, 0, 0], to: from };
  if (sign === '<=') return { from: [0, 0, 0], to: end };
  if (sign === '~') return { from, to: beyond(from, Math.min(parts.length, 2)) };
  if (sign === '^') return { from, to: beyondCaret(from, parts.length) };
  return { from, to: end };
}

/** The first version that differs in the last of so many parts. */
function beyond([major, minor, patch]: Version, parts: number): Version {
  if (parts === 1) return [major + 1, 0, 0];
  return parts === 2 ? [major, minor + 1, 0] : [major, minor, patch + 1];
}

/** What is left of the first number that is not 0 stays. */
function beyondCaret(from: Version, parts: number): Version {
  const [major, minor] = from;
  if (major > 0 || parts === 1) return beyond(from, 1);
  return minor > 0 || parts === 2 ? beyond(from, 2) : beyond(from, 3);
}

/** A version's three numbers; what is missing is 0, a pre-release counts as its release. */
function parseVersion(text: string): Version | undefined {
  const [, major, minor = '0', patch = '0'] =
    /^v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:[-+].*)?$/.exec(text.trim()) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

function isWithin(version: Version, { from, to }: Bounds): boolean {
  return compare(version, from) >= 0 && (to === undefined || compare(version, to) < 0);
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
