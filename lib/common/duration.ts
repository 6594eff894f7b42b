/** A length of time: `'250ms'`, `'5s'`, `'1m'`, `'2h'`, `'1d'`, or a number of milliseconds. */
export type Duration = number | `${number}${DurationUnit}`;

type DurationUnit = 'ms' | 's' | 'm' | 'h' | 'd';

const UNITS: Readonly<Record<DurationUnit, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The milliseconds of a duration, or `undefined` when it is none. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(value.trim());
  return match ? Number(match[1]) * UNITS[match[2] as DurationUnit] : undefined;
}

/** The milliseconds of a duration; throws a `RangeError` when it is none. */
export function milliseconds(value: Duration): number {
  const parsed = parseDuration(value);
  if (parsed === undefined)
    throw new RangeError(`"${value}" is no duration such as '250ms' or '5s'`);
  return parsed;
}

/** Milliseconds as a person writes them: `90000` is `'90s'`, `120000` is `'2m'`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms >= UNITS[unit] && ms % UNITS[unit] === 0) return `${ms / UNITS[unit]}${unit}`;
  }
  return ms >= UNITS.s ? `${Number((ms / UNITS.s).toFixed(1))}s` : `${Math.round(ms)}ms`;
}
