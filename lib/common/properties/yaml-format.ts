import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
  stringify,
  visit,
  type YAMLMap,
  type YAMLParseError,
} from 'yaml';
import type { PropertyValue } from './property-source.js';
import { type ConfigDocument, Flattened, FormatError } from './flatten.js';
import { readPlainYaml } from './plain-yaml.js';

/** The boolean words of YAML 1.1; Spring reads them so, and a text "off" would be true in JavaScript. */
const WORDS: Readonly<Record<string, boolean>> = { yes: true, on: true, no: false, off: false };

/** So many nodes are walked; aliases of aliases multiply them. */
const MOST_VISITS = 200_000;

/** So many documents are in one file at most. */
const MOST_DOCUMENTS = 1_000;

/** A place in a document that is being walked. */
interface Place {
  readonly key: string;
  readonly depth: number;
}

/** Reads YAML, several documents too; a broken one is refused with its line. */
export function readYaml(text: string): readonly ConfigDocument[] {
  const plain = readPlainYaml(text);
  return plain ? [plain] : readAnyYaml(text);
}

/** Reads YAML with the parser of the whole language. */
export function readAnyYaml(text: string): readonly ConfigDocument[] {
  if ((text.match(/^---(?!\S)/gm)?.length ?? 0) > MOST_DOCUMENTS) {
    throw new FormatError(`more than ${MOST_DOCUMENTS} documents. Split the file.`);
  }
  const lines = new LineCounter();
  const options = { lineCounter: lines, prettyErrors: false, logLevel: 'silent' } as const;
  // The parser compares every key with every other; the walk below finds duplicates faster.
  const documents = parseAllDocuments(text, { ...options, uniqueKeys: false });
  return (Array.isArray(documents) ? documents : []).map((document) => {
    const [error] = document.errors;
    if (error) throw new FormatError(sentenceOf(error), lines.linePos(error.pos[0]).line);
    return new YamlWalk(document, lines).read();
  });
}

/** Reads JSON, with the line of each value; the same key twice is refused. */
export function readJson(text: string): readonly ConfigDocument[] {
  try {
    JSON.parse(text);
  } catch (error) {
    const offset = Number(/position (\d+)/.exec(String(error))?.[1] ?? text.length);
    throw new FormatError('is not JSON', text.slice(0, offset).split('\n').length);
  }
  // Every JSON text is YAML as well (YAML 1.2.2, 1.2), and only that parser tells lines.
  return readYaml(text);
}

/** A document as YAML, in block style. */
export function writeYaml(document: object): string {
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Walks the nodes of one document and gathers its flat properties. */
class YamlWalk {
  private readonly flat = new Flattened();
  private readonly targets: ReadonlyMap<Alias, Node>;
  private visits = 0;

  constructor(
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {
    this.targets = targetsIn(document);
  }

  read(): ConfigDocument {
    const { contents } = this.document;
    if (contents === null || (isScalar(contents) && contents.value === null)) return this.flat;
    if (!isMap(contents)) throw new FormatError('must hold keys and values', this.line(contents));
    this.map(contents, { key: '', depth: 0 });
    return this.flat;
  }

  private visit(node: unknown, place: Place, holder: Node): void {
    const at = (node ?? holder) as Node;
    if (++this.visits > MOST_VISITS) {
      throw new FormatError('too large when its aliases are followed', this.line(at));
    }
    const target = isAlias(node) ? this.follow(node) : node;
    if (isMap(target)) this.map(target, place);
    else if (isSeq(target) && target.items.length > 0) {
      for (const [index, item] of target.items.entries()) {
        const key = this.flat.below(place.key, `[${index}]`, place.depth + 1, this.line(at));
        this.visit(item, { key, depth: place.depth + 1 }, target);
      }
    } else this.flat.add(place.key, isScalar(target) ? valueOf(target) : '', this.position(at));
  }

  private map(map: YAMLMap, place: Place, given: ReadonlySet<string> = new Set()): void {
    const names = new Set<string>();
    const merges: Pair[] = [];
    for (const pair of map.items) {
      const holder = isScalar(pair.key) || isAlias(pair.key) ? pair.key : map;
      const name = this.nameOf(pair.key, holder);
      if (name === '<<') merges.push(pair);
      else if (names.has(name)) {
        throw new FormatError(
          `"${name}" stands here a second time. Keep one of them.`,
          this.line(holder),
        );
      } else if (!given.has(name)) {
        const key = this.flat.below(place.key, name, place.depth + 1, this.line(holder));
        this.visit(pair.value, { key, depth: place.depth + 1 }, holder);
      }
      names.add(name);
    }
    // A key of the map itself wins over one that is merged in (YAML 1.1, merge keys).
    for (const { value } of merges) this.merge(value, place, new Set([...given, ...names]), map);
  }

  private merge(value: unknown, at: Place, given: ReadonlySet<string>, holder: Node): void {
    const place = { key: at.key, depth: at.depth + 1 };
    // An object that merges itself in has no end.
    this.flat.below(at.key, '<<', place.depth, this.line(holder));
    const target = isAlias(value) ? this.follow(value) : value;
    if (isMap(target)) return this.map(target, place, given);
    if (!isSeq(target)) throw new FormatError('"<<" must name an object', this.line(holder));
    const taken = new Set(given);
    for (const item of target.items) {
      const part = isAlias(item) ? this.follow(item) : item;
      if (!isMap(part)) throw new FormatError('"<<" must name objects', this.line(holder));
      this.map(part, place, new Set(taken));
      for (const { key } of part.items) taken.add(this.nameOf(key, holder));
    }
  }

  /** A key that is a number is written in brackets, as Spring does. */
  private nameOf(key: unknown, holder: Node): string {
    const target = isAlias(key) ? this.follow(key) : key;
    if (!isScalar(target)) throw new FormatError('a key must be a text', this.line(holder));
    const { value } = target;
    if (typeof value === 'string') return value;
    return typeof value === 'number' ? `[${value}]` : String(target.source ?? value);
  }

  private follow(alias: Alias): Node {
    const target = this.targets.get(alias);
    // It is not told by its name: a password that begins with a star looks like one.
    if (target) return target;
    throw new FormatError(
      'an alias (*) names nothing. Quote a text that begins so',
      this.line(alias),
    );
  }

  private line(node: Node): number {
    return this.lines.linePos(node.range?.[0] ?? 0).line;
  }

  private position(node: Node): string {
    const { line, col } = this.lines.linePos(node.range?.[0] ?? 0);
    return `${line}:${col}`;
  }
}

/**
 * What each alias names: the last node before it with that anchor. All are found in one walk; the parser's own `resolve`
 * makes one for each alias, which takes minutes for a file that was made for it.
 */
function targetsIn(document: Document): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Alias(_key, alias) {
      const target = anchors.get(alias.source);
      if (target) targets.set(alias, target);
    },
    Value(_key, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

/** What is wrong, without the words of the file: any of them may be a secret. */
function sentenceOf({ code, message }: YAMLParseError): string {
  if (code === 'BAD_DIRECTIVE') return 'a directive (%) that cannot be used';
  if (code === 'TAG_RESOLVE_FAILED' || code === 'BAD_COLLECTION_TYPE') {
    return 'a tag (!) that cannot be used. Quote a text that begins so';
  }
  if (code === 'BAD_DQ_ESCAPE')
    return 'a "\\" in double quotes that begins no escape. Write two of them';
  return message.replace(/(?<=\w): [^]*$/, '');
}

function valueOf({ value, source, type }: Scalar): PropertyValue {
  if (typeof value === 'string') {
    return (type === 'PLAIN' ? WORDS[value.toLowerCase()] : undefined) ?? value;
  }
  if (typeof value === 'boolean') return value;
  // A number that JavaScript cannot hold exactly stays the text it was.
  if (typeof value === 'number') {
    const exact =
      Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
    return exact ? value : (source ?? String(value));
  }
  return value === null || value === undefined ? '' : (source ?? '');
}
