import { type ConfigDocument, Flattened } from './flatten.js';
import type { PropertyValue } from './property-source.js';

/** A line with a key; what is written behind it. Such keys are texts in every schema of YAML. */
const KEYED = /^( *)([A-Za-z_][\w.-]*):(?: +(\S.*))?$/;
/** A line with an item of a list. */
const ITEM = /^( *)- +(\S.*)$/;
/** Quoted without anything to unescape, and perhaps a comment. */
const QUOTED = /^(?:"([^"\\]*)"|'([^']*)')(?: +#.*)?$/;
/** A scalar without quotes that begins with nothing that has a meaning. */
const PLAIN = /^[A-Za-z0-9_./$+-][\x20-\x7e]*$/;
/** Boolean words: those of YAML 1.2, and those of 1.1, which Spring reads so. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  false: false,
  no: false,
  off: false,
};
/** A deeper document is left to the parser. */
const DEEPEST = 32;

/** A key with something below it. */
interface Level {
  readonly indent: number;
  readonly key: string;
  /** How far its children are indented, once there is one. */
  inner?: number;
  /** How many items it has, if it is a list. */
  items?: number;
}

/**
 * Reads YAML as most configuration is written: keys, their indentation, scalars on one line, lists of scalars.
 *
 * `undefined` when there is anything else in it, or anything wrong: then the parser of the whole language says what it means,
 * which takes it ten times as long.
 */
export function readPlainYaml(text: string): ConfigDocument | undefined {
  if (/[^\n -~]/.test(text)) return undefined;
  const reader = new PlainReader();
  const lines = text.split('\n');
  for (const [at, line] of lines.entries()) {
    if (/^ *(?:#|$)/.test(line)) continue;
    if (!reader.take(line, at + 1)) return undefined;
  }
  return reader.document();
}

class PlainReader {
  private readonly flat = new Flattened();
  private readonly seen = new Set<string>();
  private readonly levels: Level[] = [{ indent: -1, key: '', inner: 0 }];
  /** A key without a value, which must have something below it. */
  private hollow = false;

  /** Reads a line; false when it is not plain. */
  take(line: string, number: number): boolean {
    const item = ITEM.exec(line);
    if (item) return this.item(item, number);
    const [, blanks = '', name, rest] = KEYED.exec(line) ?? [];
    if (name === undefined) return false;
    const indent = blanks.length;
    const level = this.levelFor(indent);
    if (!level || level.items !== undefined) return false;
    const key = level.key === '' ? name : `${level.key}.${name}`;
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    if (rest === undefined || rest.startsWith('#')) {
      this.levels.push({ indent, key });
      this.hollow = true;
      return this.levels.length <= DEEPEST;
    }
    return this.scalar(key, rest, `${number}:${line.length - rest.length + 1}`);
  }

  document(): ConfigDocument | undefined {
    return this.hollow || this.flat.entries.length === 0 ? undefined : this.flat;
  }

  private item([line, blanks = '', rest = '']: RegExpExecArray, number: number): boolean {
    const indent = blanks.length;
    // A list may stand as far left as its key.
    while (indent < (this.levels.at(-1)?.indent ?? 0)) if (!this.leave()) return false;
    const level = this.levels.at(-1);
    if (!level || level.key === '' || (level.inner !== undefined && level.items === undefined)) {
      return false;
    }
    level.inner ??= indent;
    if (level.inner !== indent) return false;
    const index = level.items ?? 0;
    level.items = index + 1;
    const key = `${level.key}[${index}]`;
    return this.scalar(key, rest, `${number}:${line.length - rest.length + 1}`);
  }

  private scalar(key: string, rest: string, position: string): boolean {
    const value = valueOf(rest);
    if (value === undefined) return false;
    this.hollow = false;
    this.flat.add(key, value, position);
    return true;
  }

  /** The level that a key with such an indentation belongs to; `undefined` when it fits none. */
  private levelFor(indent: number): Level | undefined {
    while (indent <= (this.levels.at(-1)?.indent ?? 0)) if (!this.leave()) return undefined;
    const level = this.levels.at(-1);
    if (!level) return undefined;
    level.inner ??= indent;
    if (level.inner === indent) this.hollow = false;
    return level.inner === indent ? level : undefined;
  }

  private leave(): boolean {
    // A key that has nothing below it is null, whose place only the parser knows.
    if (this.hollow) return false;
    this.levels.pop();
    return this.levels.length > 0;
  }
}

/** The value of a scalar on one line; `undefined` when that is not plain. */
function valueOf(rest: string): PropertyValue | undefined {
  const quoted = QUOTED.exec(rest);
  if (quoted) return quoted[1] ?? quoted[2];
  const comment = rest.indexOf(' #');
  const text = (comment === -1 ? rest : rest.slice(0, comment)).trimEnd();
  if (!PLAIN.test(text) || text.includes(': ') || text.endsWith(':')) return undefined;
  if (/^-(?: |$)/.test(text) || /^[-.]{3}/.test(text)) return undefined;
  if (/^[-+.0-9]/.test(text)) return numberOf(text);
  const word = text.toLowerCase();
  if (word === 'null') return undefined;
  return Object.hasOwn(BOOLEANS, word) ? booleanOf(text, word) : text;
}

/** YAML 1.2 has three spellings of `true`; of the older words any will do. */
function booleanOf(text: string, word: string): PropertyValue | undefined {
  const known = text === word || text === word.toUpperCase();
  return known ? BOOLEANS[word] : undefined;
}

/** What begins like a number: one that is simple, a text that can be none, or `undefined` for all that is between. */
function numberOf(text: string): PropertyValue | undefined {
  if (/^-?(?:0|[1-9]\d{0,14})$/.test(text) || /^-?\d{1,9}\.\d{1,9}$/.test(text)) {
    return Object.is(Number(text), -0) ? undefined : Number(text);
  }
  const surelyText =
    /[^0-9a-fxoinA-FXOIN.+-]/.test(text) || /\..*\./.test(text) || /^\d+-/.test(text);
  return surelyText ? text : undefined;
}
