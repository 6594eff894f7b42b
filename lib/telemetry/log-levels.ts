import type { LogLevel } from './telemetry.options.js';

/** From everything to nothing. */
const ORDER: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** More contexts than this are not remembered for those who ask; they are logged all the same. */
const MOST = 1_000;

/** Which lines are written: from which level on, for all contexts and for single ones. */
export class LogLevels {
  private readonly own = new Map<string, LogLevel>();
  private readonly seen = new Set<string>();
  private lowest: number;

  constructor(private usual: LogLevel) {
    this.lowest = ORDER.indexOf(usual);
  }

  /** The level of every context that has none of its own. */
  get root(): LogLevel {
    return this.usual;
  }

  set root(level: LogLevel) {
    this.usual = level;
    this.recount();
  }

  /** Gives a context, such as `Orders`, a level of its own; `undefined` takes it away again. */
  set(context: string, level: LogLevel | undefined): void {
    if (level === undefined) this.own.delete(context);
    else this.own.set(context, level);
    this.recount();
  }

  /** The level that a context was given. */
  given(context: string): LogLevel | undefined {
    return this.own.get(context);
  }

  /** The level that counts for a context. */
  of(context: string | undefined): LogLevel {
    return (context === undefined ? undefined : this.own.get(context)) ?? this.usual;
  }

  /** Every context that was heard of. */
  contexts(): readonly string[] {
    return [...new Set([...this.seen, ...this.own.keys()])].toSorted();
  }

  /** Whether any context writes lines of a level; asked first, because it costs nothing. */
  mayWrite(level: LogLevel): boolean {
    return ORDER.indexOf(level) >= this.lowest;
  }

  /** Whether a context writes lines of a level. */
  writes(level: LogLevel, context: string | undefined): boolean {
    if (context !== undefined && this.seen.size < MOST) this.seen.add(context);
    return ORDER.indexOf(level) >= ORDER.indexOf(this.of(context));
  }

  private recount(): void {
    this.lowest = Math.min(
      ...[this.usual, ...this.own.values()].map((each) => ORDER.indexOf(each)),
    );
  }
}
