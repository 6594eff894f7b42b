import type { Clock } from '../../common/clock.js';
import { Policy, type Run } from './policy.js';

/** How long a value is kept, in ms, and how many values are. */
export interface CacheSettings {
  readonly for: number;
  readonly size: number;
}

interface Entry {
  readonly value: Promise<unknown>;
  readonly until: number;
}

/** Keeps what a call returned for a while, for calls with the same arguments; those that come meanwhile share one call. */
export class CachePolicy extends Policy {
  /** The one used last is at the end. */
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly clock: Clock,
    private readonly settings: CacheSettings,
  ) {
    super();
  }

  override wrap(next: Run): Run {
    return (call) => {
      const { key } = call;
      if (key === undefined) return next(call);
      const known = this.entries.get(key);
      if (known !== undefined && known.until > this.clock.now()) {
        this.entries.delete(key);
        this.entries.set(key, known);
        return known.value;
      }
      return this.keep(key, next(call));
    };
  }

  override close(): void {
    this.entries.clear();
  }

  private keep(key: string, value: Promise<unknown>): Promise<unknown> {
    const entry = { value, until: this.clock.now() + this.settings.for };
    this.entries.delete(key);
    this.entries.set(key, entry);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.settings.size) break;
      this.entries.delete(oldest);
    }
    // A failure is nobody's answer but of those who waited for it.
    value.catch(() => {
      if (this.entries.get(key) === entry) this.entries.delete(key);
    });
    return value;
  }
}
