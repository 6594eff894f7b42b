import type {
  PathPattern,
  PathVariant,
  Segment,
  SegmentPart,
} from '../../discovery/manifest/path-pattern.js';
import { fillable, paramsOf } from '../../discovery/manifest/path-pattern.js';
import { endOfSegment, matchParts, startOfSegment } from './segments.js';

/** Makes the upstream's path of a requested one. */
export type PathRewrite = (path: string) => string;

/** A piece of the new path. */
type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'segment'; readonly number: number }
  | { readonly kind: 'rest'; readonly from: number }
  | {
      readonly kind: 'part';
      readonly number: number;
      readonly parts: readonly SegmentPart[];
      readonly param: number;
    };

/**
 * How requests that match one way through a pattern become requests for a target; `undefined` when nothing changes.
 *
 * Parameters are taken from the requested path as they stand there, still encoded: nothing that was not a slash can
 * become one.
 */
export function compileRewrite(from: PathVariant, to: PathPattern): PathRewrite | undefined {
  const target = fillable(to, from);
  if (!target) return undefined;
  const common = commonEnd(from, target);
  if (common === from.length && common === target.length) return undefined;
  const head = target.slice(0, target.length - common);
  // The usual case: another prefix, and the rest as it is.
  if (head.every(({ kind }) => kind === 'literal')) {
    const text = head.map((each) => (each.kind === 'literal' ? `/${each.text}` : '')).join('');
    return swapPrefix(from.length - common, text);
  }
  return build(from, target);
}

/** Replaces the first segments by a text. */
function swapPrefix(count: number, text: string): PathRewrite {
  return (path) => text + path.slice(startOfSegment(path, count)) || '/';
}

function build(from: PathVariant, target: PathVariant): PathRewrite {
  const pieces = target.flatMap((segment) => [textPiece('/'), ...piecesOf(from, segment)]);
  const open = target.at(-1)?.kind === 'wildcard';
  return (path) => {
    let made = '';
    for (const piece of pieces) made += fill(piece, path);
    if (made === '') return '/';
    return !open && path.length > 1 && path.endsWith('/') ? `${made}/` : made;
  };
}

function piecesOf(from: PathVariant, segment: Segment): Piece[] {
  if (segment.kind === 'literal') return [textPiece(segment.text)];
  if (segment.kind !== 'mixed') return [placeOf(from, segment.name)];
  return segment.parts.map((part) =>
    part.kind === 'text' ? textPiece(part.text) : placeOf(from, part.name),
  );
}

function textPiece(text: string): Piece {
  return { kind: 'text', text };
}

/** Where the request has a parameter. */
function placeOf(from: PathVariant, name: string): Piece {
  const number = from.findIndex((segment) => paramsOf(segment).includes(name));
  const segment = from[number];
  if (segment?.kind === 'wildcard') return { kind: 'rest', from: number };
  if (segment?.kind !== 'mixed') return { kind: 'segment', number };
  const param = paramsOf(segment).indexOf(name);
  return { kind: 'part', number, parts: segment.parts, param };
}

function fill(piece: Piece, path: string): string {
  if (piece.kind === 'text') return piece.text;
  if (piece.kind === 'rest') return path.slice(startOfSegment(path, piece.from) + 1);
  const start = startOfSegment(path, piece.number);
  const segment = path.slice(start + 1, endOfSegment(path, start));
  if (piece.kind === 'segment') return segment;
  // Parameters behind a semicolon were not looked at when the route was matched.
  const bare = segment.split(';', 1)[0] ?? '';
  const bounds = matchParts(piece.parts, bare) ?? [];
  return bare.slice(bounds[2 * piece.param], bounds[2 * piece.param + 1]);
}

/** How many segments at the end are the same in both, so that they need not be touched. */
function commonEnd(from: PathVariant, target: PathVariant): number {
  let count = 0;
  while (
    count < Math.min(from.length, target.length) &&
    sameSegment(from.at(-1 - count), target.at(-1 - count))
  )
    count++;
  return count;
}

function sameSegment(a: Segment | undefined, b: Segment | undefined): boolean {
  if (a?.kind === 'literal') return b?.kind === 'literal' && a.text === b.text;
  if (a?.kind === 'mixed' || b?.kind === 'mixed') return JSON.stringify(a) === JSON.stringify(b);
  return a !== undefined && a.kind === b?.kind && a.name === b.name;
}
