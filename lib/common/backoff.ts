/** How long to wait between attempts at something that failed; times in ms. */
export interface BackoffLimits {
  /** The most the first wait can be. @default 100 */
  readonly first?: number;
  /** The most any wait can be. @default 15000 */
  readonly most?: number;
}

/**
 * Exponential backoff with full jitter: each wait is random between nothing and a limit that doubles.
 *
 * Waits of a crowd that failed together spread out instead of coming back together.
 */
export class Backoff {
  private failures = 0;
  private readonly first: number;
  private readonly most: number;

  constructor(
    limits: BackoffLimits = {},
    private readonly random: () => number = Math.random,
  ) {
    this.first = limits.first ?? 100;
    this.most = limits.most ?? 15_000;
  }

  /** The next wait in ms. */
  next(): number {
    const limit = Math.min(this.most, this.first * 2 ** Math.min(this.failures++, 30));
    // Half of the first wait is the least: a wait of nothing would make a hot loop.
    return Math.max(this.first / 2, this.random() * limit);
  }

  /** After a success the waits start small again. */
  reset(): void {
    this.failures = 0;
  }
}
