import { keyBelow, segmentsOf } from '../common/properties/property-key.js';

/** A variable that was found for a key. */
export interface Variable {
  readonly name: string;
  readonly text: string;
}

/**
 * The variables of the process, found by property names: `DB_POOL_MAX` says `db.pool.max`.
 *
 * Asked for are, in this order: the key itself, Spring's form (points become `_`, hyphens vanish: `db.pool-max` is
 * `DB_POOLMAX`), and the form people write (hyphens and humps become `_` too: `DB_POOL_MAX`).
 */
export class EnvironmentVariables {
  /** The letters and digits of every name: what a key has in common with it, however it is written. */
  private readonly letters: ReadonlySet<string>;

  constructor(private readonly variables: Readonly<Record<string, string | undefined>>) {
    this.letters = new Set(Object.keys(variables).map(lettersOf));
  }

  /** The variable that speaks for a key, if there is one. */
  find(key: string): Variable | undefined {
    if (!this.letters.has(lettersOf(key))) return undefined;
    for (const name of namesOf(key)) {
      const text = Object.hasOwn(this.variables, name) ? this.variables[name] : undefined;
      if (text !== undefined) return { name, text };
    }
    return undefined;
  }
}

function lettersOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]+/g, '').toUpperCase();
}

function namesOf(key: string): readonly string[] {
  const words = segmentsOf(key).join('_').replaceAll('.', '_');
  const humps = words.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll('-', '_');
  return [key, words.replaceAll('-', '').toUpperCase(), humps.toUpperCase()];
}

/** A text as the kind of value it stands for; a text that is no such value stays a text. */
export function typedLike(text: string, like: unknown): unknown {
  if (typeof like === 'number' && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) {
    return Number(text);
  }
  if (typeof like === 'boolean' && /^(?:true|false)$/i.test(text)) return /^t/i.test(text);
  return text;
}

/** The items of a list as one variable says them, comma-separated: `HOSTS=a,b`. */
export function itemsOf(
  list: string,
  text: string,
  like: unknown,
): readonly (readonly [string, unknown])[] {
  if (text.trim() === '') return [[list, []]];
  return text
    .split(',')
    .map((item, index) => [keyBelow(list, index), typedLike(item.trim(), like)]);
}
