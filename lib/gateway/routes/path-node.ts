import {
  type PathVariant,
  type Segment,
  type SegmentPart,
  shapeOf,
} from '../../discovery/manifest/path-pattern.js';

/** Makes of an entry that is found the one that is taken, or none. */
export type Choice<T> = (entry: T) => T | undefined;

/** What can follow one beginning of a path. */
export class PathNode<T> {
  literals: Map<string, PathNode<T>> | undefined;
  /** The most text first. */
  mixed: readonly MixedBranch<T>[] = [];
  param: PathNode<T> | undefined;
  /** What takes all that is left. */
  wildcard: PathNode<T> | undefined;
  private readonly methods = new Map<string, T>();
  private all: T | undefined;

  get isEmpty(): boolean {
    return (
      this.methods.size === 0 &&
      this.all === undefined &&
      !this.literals &&
      !this.param &&
      !this.wildcard &&
      this.mixed.length === 0
    );
  }

  /** The entry for a method; `HEAD` follows `GET`, so that what guards the one guards the other. */
  entryFor(method: string, choose: Choice<T> | undefined): T | undefined {
    if (choose !== undefined) return this.chosenFor(method, choose);
    const entry = this.methods.get(method);
    if (entry !== undefined) return entry;
    return (method === 'HEAD' ? this.methods.get('GET') : undefined) ?? this.all;
  }

  /** Adds an entry; the one that was there first is given back. */
  add(method: string, entry: T): T | undefined {
    const known = method === 'ALL' ? this.all : this.methods.get(method);
    if (known !== undefined) return known;
    if (method === 'ALL') this.all = entry;
    else this.methods.set(method, entry);
    return undefined;
  }

  /** The node at the end of a way, made where it is missing. */
  below(variant: PathVariant): PathNode<T> {
    const [next, ...rest] = variant;
    return next ? this.child(next).below(rest) : this;
  }

  private chosenFor(method: string, choose: Choice<T>): T | undefined {
    const own = this.methods.get(method);
    const entry = own && choose(own);
    if (entry !== undefined) return entry;
    const got = method === 'HEAD' ? this.methods.get('GET') : undefined;
    return (got && choose(got)) ?? (this.all && choose(this.all));
  }

  private child(segment: Segment): PathNode<T> {
    if (segment.kind === 'param') return (this.param ??= new PathNode());
    if (segment.kind === 'wildcard') return (this.wildcard ??= new PathNode());
    if (segment.kind === 'mixed') return this.mixedChild(segment.parts, shapeOf([segment]));
    this.literals ??= new Map();
    const known = this.literals.get(segment.text) ?? new PathNode<T>();
    this.literals.set(segment.text, known);
    return known;
  }

  private mixedChild(parts: readonly SegmentPart[], shape: string): PathNode<T> {
    const known = this.mixed.find((branch) => branch.shape === shape);
    if (known) return known.node;
    const branch: MixedBranch<T> = { shape, parts, node: new PathNode() };
    this.mixed = [...this.mixed, branch].toSorted(bySpecificity);
    return branch.node;
  }
}

interface MixedBranch<T> {
  readonly shape: string;
  readonly parts: readonly SegmentPart[];
  readonly node: PathNode<T>;
}

/** The one with more text is the more specific; of equal ones the order is that of their shapes, so that it is the same everywhere. */
function bySpecificity(a: MixedBranch<unknown>, b: MixedBranch<unknown>): number {
  const difference = textLength(b.parts) - textLength(a.parts);
  if (difference !== 0) return difference;
  return a.shape < b.shape ? -1 : 1;
}

function textLength(parts: readonly SegmentPart[]): number {
  return parts.reduce((sum, part) => sum + (part.kind === 'text' ? part.text.length : 0), 0);
}
