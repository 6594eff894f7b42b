import { parsePath, type PathPattern, type PathVariant, type Segment } from './path-pattern.js';

/**
 * Whether a request that one pattern is meant for could be answered by the handler of another one, which stands before it
 * because it says as much of the path, or more: `/items/:id` would reach `/items/admin`.
 */
export function canReach(meant: PathPattern, other: PathPattern): boolean {
  return meant.variants.some((from) =>
    other.variants.some((to) => overlap(from, to) && compare(to, from) <= 0),
  );
}

/**
 * Tells paths that lead to one of several handlers; as careless with spelling as any router a service may use: the case
 * of letters, slashes at the end, percent-encoding and parameters behind a semicolon count for nothing.
 */
export function pathsLeadingTo(paths: readonly string[]): (path: string) => boolean {
  const variants = paths.flatMap((path) => parsePath(path).variants);
  return (path) => {
    const segments = path.split('/').filter(Boolean).map(fold);
    return variants.some((variant) => matches(variant, segments));
  };
}

function overlap(one: PathVariant, other: PathVariant): boolean {
  for (let i = 0; ; i++) {
    const [a, b] = [one[i], other[i]];
    if (a?.kind === 'wildcard' || b?.kind === 'wildcard') return true;
    if (a === undefined || b === undefined) return a === b;
    if (a.kind === 'literal' && b.kind === 'literal' && fold(a.text) !== fold(b.text)) return false;
  }
}

const RANKS: Readonly<Record<Segment['kind'], number>> = {
  literal: 0,
  mixed: 1,
  param: 2,
  wildcard: 3,
};

/** Below zero where the first says more of the path than the second, segment by segment. */
function compare(one: PathVariant, other: PathVariant): number {
  const length = Math.max(one.length, other.length);
  for (let i = 0; i < length; i++) {
    const difference = rank(one[i]) - rank(other[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The end of a path says more than any wildcard behind it. */
function rank(segment: Segment | undefined): number {
  return segment === undefined ? 0 : RANKS[segment.kind];
}

function matches(variant: PathVariant, segments: readonly string[]): boolean {
  const last = variant.at(-1);
  const open = last?.kind === 'wildcard';
  if (open ? segments.length < variant.length : segments.length !== variant.length) return false;
  return variant.every((segment, i) => fits(segment, segments[i] ?? ''));
}

function fits(segment: Segment, text: string): boolean {
  if (segment.kind === 'literal') return fold(segment.text) === text;
  if (segment.kind !== 'mixed') return true;
  let at = 0;
  return segment.parts.every((part) => {
    if (part.kind === 'param') return true;
    const found = text.indexOf(fold(part.text), at);
    at = found + part.text.length;
    return found >= 0;
  });
}

function fold(segment: string): string {
  const text = segment.replace(/;.*/, '');
  try {
    return decodeURIComponent(text).toLowerCase();
  } catch {
    return text.toLowerCase();
  }
}
