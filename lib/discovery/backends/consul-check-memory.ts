import type { CheckBytes } from './consul-check-scan.js';

/** How far ahead a check is looked for among those of the last time. */
const REACH = 16;

/** So many bytes of the last time are kept. */
const MOST = 4 * 1_048_576;

/**
 * Reads lists of checks that mostly are what they were the last time.
 *
 * A check whose bytes are the same is what was read of it then: as new strings, thousands of them again and again would keep
 * the garbage collector busy. Consul lists in the same order each time. Where more than a few in a row are gone, the rest is read
 * anew this once.
 */
export class CheckMemory<T> {
  private last = new Listed<T>();
  private next = new Listed<T>();
  /** Where in the last list the next check is looked for. */
  private at = 0;

  constructor(private readonly decode: (check: CheckBytes) => T) {}

  /** Says that what comes is a list from its beginning. */
  restart(): void {
    [this.last, this.next] = [this.next, this.last];
    this.next.clear();
    this.at = 0;
  }

  read(check: CheckBytes): T {
    const found = this.last.find(check, this.at);
    const value = found === -1 ? this.decode(check) : this.last.values[found]!;
    if (found !== -1) this.at = found + 1;
    this.next.add(check, value);
    return value;
  }
}

/** The checks of one list: their bytes, one after the other, and what was read of them. */
class Listed<T> {
  /** Longer than the list where the one before it was; used again, as the bytes are. */
  readonly values: T[] = [];
  private readonly ends: number[] = [];
  private count = 0;
  private bytes = Buffer.alloc(0);

  clear(): void {
    this.count = 0;
  }

  add(check: CheckBytes, value: T): void {
    const start = this.startOf(this.count);
    const end = start + check.length;
    if (end > MOST) return;
    if (end > this.bytes.length) this.grow(end);
    check.copyTo(this.bytes, start);
    this.values[this.count] = value;
    this.ends[this.count] = end;
    this.count += 1;
  }

  /** Which one is the same, from one on and not far from it; -1 where none is. */
  find(check: CheckBytes, from: number): number {
    const until = Math.min(from + REACH, this.count);
    for (let n = from; n < until; n++) {
      const start = this.startOf(n);
      if (this.ends[n]! - start === check.length && check.isAt(this.bytes, start)) return n;
    }
    return -1;
  }

  private startOf(n: number): number {
    return n === 0 ? 0 : this.ends[n - 1]!;
  }

  private grow(least: number): void {
    const larger = Buffer.allocUnsafe(Math.min(least * 2, MOST));
    this.bytes.copy(larger);
    this.bytes = larger;
  }
}
