/** Finds the value of a key, or `undefined`. */
export type PropertyLookup = (key: string) => unknown;

/** More than this in one value is an attack or a mistake; the rest then stays as it is written. */
const MOST_CHARACTERS = 1_000_000;
/** And in all values of a configuration together, so that many such values are no way around it. */
const MOST_IN_ALL = 2_000_000;
/** What looking a key up counts for, beside the characters it brings. */
const LOOKUP = 64;

/** So many placeholders within and behind each other are followed. */
const DEEPEST = 64;

/**
 * Fills the `${key:default}` placeholders of texts, nested and recursive ones too.
 *
 * A text that is one placeholder alone takes the value's kind with it. What nobody knows stays as it is written; so does
 * `\${key}`, without its backslash. What asks for itself stays too, and is told to whoever wants to know of circles.
 */
export class Placeholders {
  private left = 0;
  private leftInAll = MOST_IN_ALL;

  constructor(
    private readonly lookup: PropertyLookup,
    /** Hears of the keys that ask for each other in a circle and have no default, the first once more at the end. */
    private readonly onCircle: (keys: readonly string[]) => void = () => {},
  ) {}

  /** A value with its placeholders filled. */
  resolve(value: unknown): unknown {
    if (typeof value !== 'string' || !value.includes('${')) return value;
    const most = Math.min(MOST_CHARACTERS, this.leftInAll);
    this.left = most;
    const filled = this.fill(value, []);
    this.leftInAll -= most - this.left;
    return filled;
  }

  private fill(text: string, asked: readonly string[]): unknown {
    if (text.startsWith('${') && endOf(text, 0) === text.length - 1) {
      return this.answer(text, asked);
    }
    let filled = '';
    let at = 0;
    for (let from = text.indexOf('${'); from !== -1; from = text.indexOf('${', at)) {
      const end = endOf(text, from);
      if (end === -1) break;
      const escaped = text[from - 1] === '\\';
      filled += text.slice(at, escaped ? from - 1 : from);
      const whole = text.slice(from, end + 1);
      filled += escaped ? whole : String(this.answer(whole, asked));
      at = end + 1;
    }
    return filled + text.slice(at);
  }

  /** What a placeholder, given with its braces, stands for; itself when it stands for nothing. */
  private answer(placeholder: string, asked: readonly string[]): unknown {
    if (asked.length >= DEEPEST) return placeholder;
    const inner = placeholder.slice(2, -1);
    const colon = colonOf(inner);
    const key = String(this.fill(colon === -1 ? inner : inner.slice(0, colon), [...asked, '']));
    const found = asked.includes(key) ? undefined : this.lookup(key);
    if (found !== undefined && this.left > 0) {
      this.left -= LOOKUP + (typeof found === 'string' ? found.length : 0);
      return typeof found === 'string' ? this.fill(found, [...asked, key]) : found;
    }
    if (colon === -1 && asked.includes(key)) {
      this.onCircle([...asked.slice(asked.indexOf(key)).filter((each) => each !== ''), key]);
    }
    return colon === -1 ? placeholder : this.fill(inner.slice(colon + 1), [...asked, '']);
  }
}

/** Where the placeholder that begins at a place ends, or -1. */
function endOf(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('${', at)) {
      depth++;
      at++;
    } else if (text[at] === '}' && --depth === 0) return at;
  }
  return -1;
}

/** Where the default begins: the first colon that is not inside of an inner placeholder, or -1. */
function colonOf(inner: string): number {
  for (let at = 0; at < inner.length; at++) {
    if (inner[at] === ':') return at;
    if (inner.startsWith('${', at)) {
      const end = endOf(inner, at);
      if (end === -1) return -1;
      at = end;
    }
  }
  return -1;
}
