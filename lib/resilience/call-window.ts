/** The window is counted in so many pieces, of which the oldest is forgotten at a time. */
const PIECES = 10;

/** How calls ended within the last so many ms. */
export class CallWindow {
  calls = 0;
  bad = 0;
  slow = 0;
  private readonly all = new Int32Array(PIECES);
  private readonly failures = new Int32Array(PIECES);
  private readonly slowOnes = new Int32Array(PIECES);
  private piece = 0;
  private readonly length: number;
  /** Which piece of all time the current one is. */
  private tick: number;

  constructor(length: number, now: number) {
    this.length = length / PIECES;
    this.tick = Math.floor(now / this.length);
  }

  /** Counts a call into the current piece. */
  add(bad: boolean, slow: boolean): void {
    const { piece } = this;
    this.calls++;
    this.all[piece] = (this.all[piece] ?? 0) + 1;
    if (bad) {
      this.bad++;
      this.failures[piece] = (this.failures[piece] ?? 0) + 1;
    }
    if (slow) {
      this.slow++;
      this.slowOnes[piece] = (this.slowOnes[piece] ?? 0) + 1;
    }
  }

  /** The figures of a moment. */
  at(now: number): this {
    this.roll(now);
    return this;
  }

  /** Forgets the pieces that are over. */
  roll(now: number): void {
    const tick = Math.floor(now / this.length);
    const passed = Math.min(PIECES, tick - this.tick);
    if (passed <= 0) return;
    this.tick = tick;
    for (let i = 0; i < passed; i++) {
      this.piece = (this.piece + 1) % PIECES;
      this.calls -= this.all[this.piece] ?? 0;
      this.bad -= this.failures[this.piece] ?? 0;
      this.slow -= this.slowOnes[this.piece] ?? 0;
      this.all[this.piece] = this.failures[this.piece] = this.slowOnes[this.piece] = 0;
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.calls = this.bad = this.slow = 0;
    this.all.fill(0);
    this.failures.fill(0);
    this.slowOnes.fill(0);
  }
}
