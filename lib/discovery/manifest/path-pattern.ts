import { PathSyntaxError } from './manifest.errors.js';
import { type PathToken, readPath } from './path-tokens.js';

/** A stretch of text, or a parameter that is not a whole segment, as in `v:major`. */
export type SegmentPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string };

/** What stands between two slashes of a pattern. */
export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'mixed'; readonly parts: readonly SegmentPart[] }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'wildcard'; readonly name: string };

/** One way through a pattern, with every optional group taken or left out. */
export type PathVariant = readonly Segment[];

/** A path in Nest's syntax, understood. */
export interface PathPattern {
  readonly source: string;
  /** The fullest first; more than one only where the path has optional groups. */
  readonly variants: readonly PathVariant[];
  /** The names of all parameters, wildcards included, in order. */
  readonly params: readonly string[];
}

/** More ways than this through one path are no path but an attack. */
const MOST_VARIANTS = 16;
const MOST_SEGMENTS = 32;

/**
 * Understands a path in Nest's syntax: `/orders/:id`, `/v:major/x`, `/files/*rest`, `/files/{*rest}`, `/a{/:b}`.
 *
 * A wildcard is the last segment and matches one segment or more; in braces, also none. Slashes at the end count for
 * nothing. Regular expressions in paths are refused, as Nest 11 and 12 refuse them.
 *
 * @throws PathSyntaxError
 */
export function parsePath(path: string): PathPattern {
  if (!path.startsWith('/')) throw new PathSyntaxError(path, "does not start with '/'.");
  const lists = expand(path, readPath(path));
  const variants = lists.map((tokens) => segmentsOf(path, tokens));
  const params = [...new Set(variants.flatMap((variant) => variant.flatMap(paramsOf)))];
  for (const variant of variants) refuseRepeated(path, variant);
  return { source: path, variants: withoutTwins(variants), params };
}

/** The names of a segment's parameters. */
export function paramsOf(segment: Segment): readonly string[] {
  if (segment.kind === 'literal') return [];
  if (segment.kind !== 'mixed') return [segment.name];
  return segment.parts.flatMap((part) => (part.kind === 'param' ? [part.name] : []));
}

/** Whether a request for one path always has what another needs, whichever optional groups it has. */
export function canFill(target: PathPattern, from: PathPattern): boolean {
  return from.variants.every((variant) => fillable(target, variant) !== undefined);
}

/** Of a target with optional groups, the fullest way that a request can fill. */
export function fillable(target: PathPattern, from: PathVariant): PathVariant | undefined {
  const known = new Set(from.flatMap(paramsOf));
  return target.variants.find((each) => each.flatMap(paramsOf).every((name) => known.has(name)));
}

/** A path with its parameters' names taken out: paths of the same shape match the same requests. */
export function shapeOf(variant: PathVariant): string {
  return `/${variant.map(segmentShape).join('/')}`;
}

function segmentShape(segment: Segment): string {
  if (segment.kind === 'literal') return plainText(segment.text);
  if (segment.kind === 'param') return ':';
  if (segment.kind === 'wildcard') return '*';
  return segment.parts.map((part) => (part.kind === 'text' ? plainText(part.text) : ':')).join('');
}

/** Text that cannot be taken for a parameter. */
function plainText(text: string): string {
  return /[:*\\]/.test(text) ? text.replaceAll(/[:*\\]/g, '\\$&') : text;
}

/** Every way through the optional groups. */
function expand(path: string, tokens: readonly PathToken[]): PathToken[][] {
  let ways: PathToken[][] = [[]];
  for (const token of tokens) {
    if (token.kind !== 'group') {
      for (const way of ways) way.push(token);
      continue;
    }
    const tails = [...expand(path, token.tokens), []];
    ways = tails.flatMap((tail) => ways.map((way) => way.concat(tail)));
    if (ways.length > MOST_VARIANTS)
      throw new PathSyntaxError(path, 'has too many optional groups. Write it as several paths.');
  }
  return ways;
}

function segmentsOf(path: string, tokens: readonly PathToken[]): PathVariant {
  const segments: PathToken[][] = [[]];
  for (const token of tokens) {
    if (token.kind === 'slash') segments.push([]);
    else segments.at(-1)?.push(token);
  }
  const variant = segments.filter((parts) => parts.length > 0).map((parts) => segment(path, parts));
  if (variant.length > MOST_SEGMENTS)
    throw new PathSyntaxError(path, `has more than ${MOST_SEGMENTS} segments.`);
  if (variant.slice(0, -1).some((each) => each.kind === 'wildcard'))
    throw new PathSyntaxError(path, 'goes on behind a wildcard. A wildcard is the last segment.');
  return variant;
}

function segment(path: string, tokens: readonly PathToken[]): Segment {
  const parts: SegmentPart[] = [];
  for (const token of tokens) {
    const last = parts.at(-1);
    if (token.kind === 'wildcard') {
      if (tokens.length === 1) return { kind: 'wildcard', name: token.name };
      throw new PathSyntaxError(path, 'has a wildcard inside of a segment. Make it a whole one.');
    } else if (token.kind === 'param') {
      if (last?.kind === 'param')
        throw new PathSyntaxError(path, 'has two parameters with nothing between them.');
      parts.push({ kind: 'param', name: token.name });
    } else if (token.kind === 'text') {
      const text = last?.kind === 'text' ? last.text + token.text : token.text;
      parts.splice(last?.kind === 'text' ? -1 : parts.length, 1, { kind: 'text', text });
    }
  }
  const [only] = parts;
  if (parts.length > 1 || !only) return { kind: 'mixed', parts };
  if (only.kind === 'param') return { kind: 'param', name: only.name };
  if (/^\.{1,2}$/.test(only.text)) throw new PathSyntaxError(path, 'has a segment of dots.');
  return { kind: 'literal', text: only.text };
}

function refuseRepeated(path: string, variant: PathVariant): void {
  const names = variant.flatMap(paramsOf);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new PathSyntaxError(path, `has the parameter '${twice}' twice.`);
}

function withoutTwins(variants: readonly PathVariant[]): readonly PathVariant[] {
  if (variants.length === 1) return variants;
  const seen = new Set<string>();
  return variants.filter((variant) => {
    const shape = shapeOf(variant);
    return !seen.has(shape) && seen.add(shape);
  });
}
