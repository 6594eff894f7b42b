import type { SegmentPart } from '../../discovery/manifest/path-pattern.js';

/**
 * Where the parameters of a segment such as `v:major.:minor` are in a text, as start and end in turn; undefined when
 * it does not match. Each takes as little as it can, so that no text takes long.
 */
export function matchParts(parts: readonly SegmentPart[], text: string): number[] | undefined {
  const bounds: number[] = [];
  let at = 0;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index];
    if (part?.kind === 'text') {
      if (!text.startsWith(part.text, at)) return undefined;
      at += part.text.length;
      continue;
    }
    const next = parts[index + 1];
    const end = endOfParam(
      text,
      at,
      next?.kind === 'text' ? next.text : '',
      index + 2 === parts.length,
    );
    if (end <= at) return undefined;
    bounds.push(at, end);
    at = end;
  }
  return at === text.length ? bounds : undefined;
}

/** Where a parameter ends that is followed by some text; a last text is at the end and nowhere else. */
function endOfParam(text: string, start: number, next: string, isLast: boolean): number {
  if (next === '') return text.length;
  if (isLast) return text.endsWith(next) ? text.length - next.length : -1;
  return text.indexOf(next, start + 1);
}

/** Where the segment of a number begins, its slash included, counted from 0; the path's end when it has fewer. */
export function startOfSegment(path: string, number: number): number {
  let at = 0;
  for (let left = number; left > 0 && at !== -1; left--) at = path.indexOf('/', at + 1);
  return at === -1 ? path.length : at;
}

/** Where the segment that begins with the slash at a place ends. */
export function endOfSegment(path: string, start: number): number {
  const end = path.indexOf('/', start + 1);
  return end === -1 ? path.length : end;
}
