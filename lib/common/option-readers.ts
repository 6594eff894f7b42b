import { type Duration, formatDuration, parseDuration } from './duration.js';
import { InvalidOptionsError } from './errors.js';

/** Node's timers take no more, in ms; a longer one would end at once. */
const LONGEST = 2 ** 31 - 1;

/** Turns what a user wrote at a path into a checked value with its default, or throws `InvalidOptionsError`. */
export type OptionReader<T> = (value: unknown, path: string) => T;

type Fields = Readonly<Record<string, OptionReader<unknown>>>;

/** The checked values of a group of fields. */
export type Settings<F extends Fields> = { readonly [K in keyof F]: ReturnType<F[K]> };

/** Refuses with a sentence that begins with the option's path. */
export function refuse(path: string, problem: string, remedy: string): never {
  throw new InvalidOptionsError(`${path} ${problem}. ${remedy}`);
}

/** A group of options; keys it does not know are refused. */
export function group<F extends Fields>(fields: F): OptionReader<Settings<F>> {
  return (value, path) => {
    const given = value === undefined ? {} : value;
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      refuse(
        path,
        `is ${show(value)}, not an object`,
        `Known options: ${Object.keys(fields).join(', ')}.`,
      );
    }
    for (const key of Object.keys(given)) {
      if (!Object.hasOwn(fields, key))
        refuse(`${path}.${key}`, 'is not an option', suggest(key, Object.keys(fields)));
    }
    const read = Object.entries(fields).map(([key, reader]) => [
      key,
      reader((given as Record<string, unknown>)[key], `${path}.${key}`),
    ]);
    return Object.fromEntries(read) as Settings<F>;
  };
}

/** A length of time, read as milliseconds; at most 24.8 days, which is what a timer can wait. */
export function duration(
  fallback: Duration,
  bounds: { min?: number; max?: number } = {},
): OptionReader<number> {
  return (value, path) => {
    const ms = parseDuration(value === undefined ? fallback : value);
    if (ms === undefined)
      refuse(path, `is ${show(value)}, not a duration`, "Write it like '250ms', '5s' or '1m'.");
    if (bounds.min !== undefined && ms < bounds.min) {
      refuse(path, `is ${formatDuration(ms)}`, `Make it at least ${formatDuration(bounds.min)}.`);
    }
    if (ms > LONGEST) {
      refuse(
        path,
        `is ${formatDuration(ms)}, longer than a timer can wait`,
        'Make it at most 24d.',
      );
    }
    if (bounds.max !== undefined && ms > bounds.max) {
      refuse(path, `is ${formatDuration(ms)}`, `Make it at most ${formatDuration(bounds.max)}.`);
    }
    return ms;
  };
}

/** A number between two bounds. */
export function number(
  fallback: number,
  bounds: { min?: number; max?: number; integer?: boolean } = {},
): OptionReader<number> {
  const { min = -Infinity, max = Infinity, integer = false } = bounds;
  return (value, path) => {
    const given = value === undefined ? fallback : value;
    if (typeof given !== 'number' || Number.isNaN(given) || (integer && !Number.isInteger(given))) {
      refuse(
        path,
        `is ${show(value)}, not ${integer ? 'a whole number' : 'a number'}`,
        `The default is ${fallback}.`,
      );
    }
    if (given < min || given > max)
      refuse(path, `is ${given}`, `Keep it between ${min} and ${max}.`);
    return given;
  };
}

/** A whole number between two bounds. */
export function integer(
  fallback: number,
  bounds: { min?: number; max?: number } = {},
): OptionReader<number> {
  return number(fallback, { ...bounds, integer: true });
}

/** Yes or no. */
export function flag(fallback: boolean): OptionReader<boolean> {
  return (value, path) => {
    if (value === undefined) return fallback;
    if (typeof value !== 'boolean') refuse(path, `is ${show(value)}`, 'Make it true or false.');
    return value;
  };
}

/** A text that is not empty. */
export function text(
  fallback: string,
  pattern?: { matches: RegExp; remedy: string },
): OptionReader<string> {
  const read = optional(textOf(pattern));
  return (value, path) => read(value, path) ?? fallback;
}

/** One of a few words. */
export function oneOf<const W extends readonly string[]>(
  words: W,
  fallback: W[number],
): OptionReader<W[number]> {
  return (value, path) => {
    const given = value === undefined ? fallback : value;
    const found = words.find((word) => word === given);
    return (
      found ??
      refuse(path, `is ${show(value)}`, `Make it ${words.map((word) => `'${word}'`).join(' or ')}.`)
    );
  };
}

/** An option that may be left out. */
export function optional<T>(read: OptionReader<T>): OptionReader<T | undefined> {
  return (value, path) => (value === undefined ? undefined : read(value, path));
}

/** A text that must be there when read; for use inside `optional`, `list` and `record`. */
export function textOf(pattern?: { matches: RegExp; remedy: string }): OptionReader<string> {
  return (value, path) => {
    if (value === undefined) refuse(path, 'is missing', 'Write a text.');
    if (typeof value !== 'string' || value === '')
      refuse(path, `is ${show(value)}, not a text`, 'Write a text, or leave it out.');
    if (pattern && !pattern.matches.test(value)) refuse(path, `is ${show(value)}`, pattern.remedy);
    return value;
  };
}

/** A list, each of whose items is read alike. */
export function list<T>(read: OptionReader<T>): OptionReader<readonly T[]> {
  return (value, path) => {
    if (value === undefined) return [];
    if (!Array.isArray(value))
      refuse(path, `is ${show(value)}, not a list`, 'Write it in square brackets.');
    return value.map((item, index) => read(item, `${path}[${index}]`));
  };
}

/** An object with free keys, each of whose values is read alike. */
export function record<T>(read: OptionReader<T>): OptionReader<Readonly<Record<string, T>>> {
  return (value, path) => {
    if (value === undefined) return {};
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      refuse(path, `is ${show(value)}, not an object`, 'Write it in curly brackets.');
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, read(item, `${path}.${key}`)]),
    );
  };
}

/** Something made in code, such as an instance or a function; it is told apart by a test, not read. */
export function made<T>(is: (value: unknown) => value is T, what: string): OptionReader<T> {
  return (value, path) =>
    is(value) ? value : refuse(path, `is ${show(value)}`, `It must be ${what}.`);
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null
    ? Array.isArray(value)
      ? 'a list'
      : 'an object'
    : String(value);
}

function suggest(key: string, known: readonly string[]): string {
  const near = known.find((name) => distance(key.toLowerCase(), name.toLowerCase()) <= 2);
  return near ? `Did you mean "${near}"?` : `Known options: ${known.join(', ')}.`;
}

/** Levenshtein's distance between two short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
