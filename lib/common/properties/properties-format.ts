import { type ConfigDocument, Flattened, FormatError } from './flatten.js';

/** A logical line: continuation lines joined, comments left out. */
interface Line {
  readonly text: string;
  readonly number: number;
}

/** Between the documents of one file, as Spring Boot has them. */
const SEPARATOR = /^[#!]---\s*$/;

/**
 * Reads Java's .properties: `key=value`, `key: value` or `key value`, escapes, continuation lines, `\uXXXX`.
 *
 * All values are texts. `#---` on a line of its own begins another document.
 */
export function readProperties(text: string): readonly ConfigDocument[] {
  let document = new Flattened();
  const documents = [document];
  for (const line of linesOf(text)) {
    if (SEPARATOR.test(line.text)) {
      document = new Flattened();
      documents.push(document);
      continue;
    }
    const end = endOfKey(line.text);
    const rest = /^[ \t\f]*[=:]?[ \t\f]*/.exec(line.text.slice(end))?.[0].length ?? 0;
    const key = unescaped(line.text.slice(0, end), line.number);
    document.add(key, unescaped(line.text.slice(end + rest), line.number), `${line.number}:1`);
  }
  return documents;
}

function* linesOf(text: string): Iterable<Line> {
  const natural = text.split(/\r\n|\n|\r/);
  for (let at = 0; at < natural.length; at++) {
    const number = at + 1;
    let line = (natural[at] ?? '').replace(/^[ \t\f]+/, '');
    if (SEPARATOR.test(line)) yield { text: line, number };
    if (line === '' || /^[#!]/.test(line)) continue;
    // An odd number of backslashes at the end joins the next line, without its leading blanks.
    while (/(?:^|[^\\])(?:\\\\)*\\$/.test(line)) {
      const next = natural[++at];
      line = line.slice(0, -1) + (next ?? '').replace(/^[ \t\f]+/, '');
      if (next === undefined) break;
    }
    yield { text: line, number };
  }
}

/** A key ends at the first blank, `=` or `:` that is not escaped. */
function endOfKey(line: string): number {
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '\\') at++;
    else if (/[=: \t\f]/.test(line[at] ?? '')) return at;
  }
  return line.length;
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescaped(text: string, line: number): string {
  return text.replaceAll(/\\(u[0-9A-Fa-f]{4}|[^]|$)/g, (_whole, escape: string) => {
    if (escape.length === 5) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    if (escape === 'u') throw new FormatError('"\\u" without four hexadecimal digits', line);
    return ESCAPES[escape] ?? escape;
  });
}
