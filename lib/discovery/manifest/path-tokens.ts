import { PathSyntaxError } from './manifest.errors.js';

/** The smallest parts of a path in Nest's syntax. */
export type PathToken =
  | { readonly kind: 'slash' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'wildcard'; readonly name: string }
  | { readonly kind: 'group'; readonly tokens: readonly PathToken[] };

const NAME = /[\p{ID_Start}$_][\p{ID_Continue}$]*/uy;
/** Characters that stand for themselves, which most of a path is made of: read in runs, because gateways read many paths. */
const PLAIN = /[\w.~-]+/y;
const DEEPEST_GROUP = 4;

/** Splits a path in Nest's syntax into its tokens. */
export function readPath(path: string): readonly PathToken[] {
  const reader = new PathReader(path);
  return reader.read();
}

class PathReader {
  private at = 0;
  private depth = 0;

  constructor(private readonly path: string) {}

  read(): PathToken[] {
    const tokens: PathToken[] = [];
    while (this.at < this.path.length) {
      const run = this.run(PLAIN);
      if (run !== undefined) {
        tokens.push({ kind: 'text', text: run });
        continue;
      }
      const char = this.path.charAt(this.at++);
      if (char === '}') {
        if (this.depth-- > 0) return tokens;
        this.refuse("has a '}' without its '{'.");
      }
      tokens.push(this.token(char));
    }
    if (this.depth > 0) this.refuse("has a '{' without its '}'.");
    return tokens;
  }

  private token(char: string): PathToken {
    if (char === '/') return { kind: 'slash' };
    if (char === ':')
      return { kind: 'param', name: this.name() ?? this.refuse("has a ':' without a name.") };
    // Nest still takes a bare star at the end, for what is now written `{*path}`.
    if (char === '*') return this.wildcard();
    if (char === '{') {
      if (++this.depth > DEEPEST_GROUP) this.refuse('has groups that are nested too deep.');
      return { kind: 'group', tokens: this.read() };
    }
    if (char === '\\') return this.text(this.path.charAt(this.at++));
    if ('()[]+?!'.includes(char))
      this.refuse(
        `has '${char}', which has no meaning in a path. Write a parameter, or '\\\\${char}' for the character.`,
      );
    return this.text(char);
  }

  private wildcard(): PathToken {
    const name = this.name();
    if (name !== undefined) return { kind: 'wildcard', name };
    const star: PathToken = { kind: 'wildcard', name: 'path' };
    return this.depth > 0 ? star : { kind: 'group', tokens: [star] };
  }

  private text(char: string): PathToken {
    if (
      char === ';' ||
      char === '#' ||
      char === '?' ||
      char === '' ||
      char === '\\' ||
      char === '/'
    )
      this.refuse(`has '${char}', which can be no part of a public path.`);
    if (char !== '%') return { kind: 'text', text: encodeChar(this.whole(char)) };
    const hex = this.path.slice(this.at, this.at + 2);
    if (!/^[\da-f]{2}$/i.test(hex)) this.refuse("has a '%' without two hexadecimal digits.");
    this.at += 2;
    const code = Number.parseInt(hex, 16);
    if (code === 0x2f || code === 0x5c || code < 0x20 || code === 0x7f)
      this.refuse(`has '%${hex}', which the gateway refuses in requests.`);
    return {
      kind: 'text',
      text: isPlain(code) ? String.fromCharCode(code) : `%${hex.toUpperCase()}`,
    };
  }

  /** Both halves of a character that takes two. */
  private whole(char: string): string {
    const point = this.path.codePointAt(this.at - 1) ?? 0;
    if (point <= 0xffff) return char;
    this.at++;
    return String.fromCodePoint(point);
  }

  private name(): string | undefined {
    return this.run(NAME);
  }

  /** What an expression finds right here. */
  private run(expression: RegExp): string | undefined {
    expression.lastIndex = this.at;
    const found = expression.exec(this.path)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private refuse(problem: string): never {
    throw new PathSyntaxError(this.path, problem);
  }
}

/** What encodeURIComponent leaves alone: requests are matched with these characters decoded, so patterns are too. */
function isPlain(code: number): boolean {
  return /[\w.~!*'()-]/.test(String.fromCharCode(code));
}

function encodeChar(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code > 0x20 && code < 0x7f) return char;
  // Half of a surrogate pair is no character.
  return encodeURIComponent(/^\p{Cs}$/u.test(char) ? '\ufffd' : char);
}
