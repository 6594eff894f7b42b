import type { BodyEar } from './exchange-ears.js';

/** How much memory copies may take, over all of them. */
export interface CopyBudget {
  reserve(bytes: number): boolean;
  release(bytes: number): void;
}

/** A copy of an answer's body, made while the body passes. */
export class BodyCopy {
  private chunks: Buffer[] = [];
  private size = 0;
  private reserved = 0;
  private isOver = false;

  /** @param most bytes; of a larger body there is no copy */
  constructor(
    private readonly most: number,
    private readonly budget: CopyBudget,
    private readonly ear: BodyEar,
  ) {}

  add(chunk: Buffer): void {
    if (this.isOver) return;
    this.size += chunk.length;
    if (this.size > this.most || !this.budget.reserve(chunk.length))
      return this.finish(undefined, true);
    this.reserved += chunk.length;
    // What passes may be a view of a larger piece of memory, which would be held as a whole.
    this.chunks.push(Buffer.from(chunk));
  }

  /** The body, as a filter has made it. */
  whole(body: Buffer): void {
    this.add(body);
    this.end();
  }

  /** The body is whole. */
  end(): void {
    this.finish(Buffer.concat(this.chunks));
  }

  /** It was cut off. */
  fail(): void {
    this.finish(undefined);
  }

  private finish(body: Buffer | undefined, isTooLarge = false): void {
    if (this.isOver) return;
    this.isOver = true;
    this.chunks = [];
    this.budget.release(this.reserved);
    this.ear(body, isTooLarge);
  }
}
