import type { Duration } from '../common/duration.js';
import {
  duration,
  flag,
  group,
  integer,
  list,
  number,
  oneOf,
  type OptionReader,
  optional,
  record,
  refuse,
  textOf,
} from '../common/option-readers.js';

type Key<A> = Extract<keyof A, string>;
type Bounds = { readonly min?: number; readonly max?: number };
type Shape = { readonly matches: RegExp; readonly remedy: string };

/**
 * What was written for a filter or predicate, read key by key; what nobody reads is refused.
 *
 * Every reader throws `InvalidOptionsError` with the path and the remedy.
 */
export class Args<A extends object = Record<string, unknown>> {
  private readonly given: Readonly<Record<string, unknown>>;
  private readonly asked: Record<string, OptionReader<unknown>> = {};

  constructor(
    given: unknown,
    /** Where it stands, such as `gateway.routes[0].filters[1].StripPrefix`. */
    readonly path: string,
  ) {
    const value = given === undefined || given === null || given === true ? {} : given;
    if (typeof value !== 'object' || Array.isArray(value))
      refuse(path, 'is no object', 'Write its arguments by name, in curly brackets.');
    this.given = value as Readonly<Record<string, unknown>>;
  }

  /** Whether something was written for a key. */
  has(key: Key<A>): boolean {
    return this.given[key] !== undefined;
  }

  /** A value, by any reader. */
  read<T>(key: Key<A>, reader: OptionReader<T>): T {
    this.asked[key] = reader;
    return reader(this.given[key], `${this.path}.${key}`);
  }

  /** A whole number; without a default it must be written. */
  integer(key: Key<A>, { default: fallback, ...bounds }: Bounds & { default?: number }): number {
    return this.read(key, must(fallback, integer(fallback ?? 0, bounds)));
  }

  /** A number; without a default it must be written. */
  number(key: Key<A>, { default: fallback, ...bounds }: Bounds & { default?: number }): number {
    return this.read(key, must(fallback, number(fallback ?? 0, bounds)));
  }

  /** True or false. */
  flag(key: Key<A>, fallback: boolean): boolean {
    return this.read(key, flag(fallback));
  }

  /** A length of time, as ms; without a default it must be written. */
  duration(key: Key<A>, fallback?: Duration): number {
    return this.read(key, must(fallback, duration(fallback ?? 0)));
  }

  /** One of a few words. */
  oneOf<const W extends readonly string[]>(key: Key<A>, words: W, fallback: W[number]): W[number] {
    return this.read(key, oneOf(words, fallback));
  }

  /** A text that must be written. */
  text(key: Key<A>, shape?: Shape): string {
    return this.read(key, textOf(shape));
  }

  /** A text that may be left out. */
  optionalText(key: Key<A>, shape?: Shape): string | undefined {
    return this.read(key, optional(textOf(shape)));
  }

  /** One text or several, as a list; empty when nothing was written. */
  texts(key: Key<A>, shape?: Shape): readonly string[] {
    const item = textOf(shape);
    return this.read(key, (value, path) =>
      typeof value === 'string' ? [item(value, path)] : list(item)(value, path),
    );
  }

  /** Texts by name; empty when nothing was written. */
  record(key: Key<A>, shape?: Shape): Readonly<Record<string, string>> {
    return this.read(key, record(textOf(shape)));
  }

  /** A regular expression that must be written, as a text or as one. */
  expression(key: Key<A>, flags = ''): RegExp {
    return this.read(key, (value, path) => expressionOf(value, path, flags));
  }

  /** Refuses with a sentence that begins with the path of a key. */
  refuse(key: Key<A>, problem: string, remedy: string): never {
    return refuse(`${this.path}.${key}`, problem, remedy);
  }

  /** @internal Refuses every key that was not asked for. */
  end(): void {
    const known = Object.keys(this.asked).map((key) => [key, (value: unknown) => value] as const);
    group(Object.fromEntries(known))(this.given, this.path);
  }
}

/** What has no default must be there. */
function must<T>(fallback: unknown, reader: OptionReader<T>): OptionReader<T> {
  return (value, path) => {
    if (value === undefined && fallback === undefined)
      refuse(path, 'is missing', 'It has no default.');
    return reader(value, path);
  };
}

function expressionOf(value: unknown, path: string, flags: string): RegExp {
  if (value instanceof RegExp) return value;
  const source = textOf()(value, path);
  try {
    return new RegExp(source, flags);
  } catch {
    return refuse(path, `is '${source}', no regular expression`, 'Mask its special signs.');
  }
}
