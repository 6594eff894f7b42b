import type { PropertyValue } from './property-source.js';

/** One property of a file, and where it stands there. */
export interface Entry {
  readonly key: string;
  readonly value: PropertyValue;
  /** `12:3`: line and column. */
  readonly position: string;
}

/** One document of a file; a YAML file may hold several. */
export interface ConfigDocument {
  readonly entries: readonly Entry[];
}

/** What is wrong with a file, and in which line. */
export class FormatError extends Error {
  override readonly name = 'FormatError';

  constructor(
    message: string,
    readonly line?: number,
  ) {
    super(message);
  }
}

/** Nothing that a person writes is deeper. */
const DEEPEST = 64;
/** Nor has more properties, those that aliases repeat included. */
const MOST_ENTRIES = 100_000;

/**
 * Gathers the flat properties of a document, as Spring names them: `a.b`, `a[0].b`, and `a[some.key]` for a name that is
 * written in brackets. An empty list and null are an empty text; an empty object is nothing.
 */
export class Flattened implements ConfigDocument {
  readonly entries: Entry[] = [];
  private readonly keys = new Set<string>();

  /** Adds a property; the same key twice is refused. */
  add(key: string, value: PropertyValue, position: string): void {
    const line = Number.parseInt(position, 10);
    if (this.keys.has(key)) {
      throw new FormatError(`"${key}" stands here a second time. Keep one of them.`, line);
    }
    if (this.keys.size >= MOST_ENTRIES) {
      throw new FormatError(`more than ${MOST_ENTRIES} properties. Split the file.`, line);
    }
    this.keys.add(key);
    this.entries.push({ key, value: value ?? '', position });
  }

  /** The key of a field below another key; refuses what is too deep. */
  below(parent: string, name: string, depth: number, line: number): string {
    if (depth > DEEPEST) throw new FormatError(`deeper than ${DEEPEST} levels`, line);
    return parent === '' || name.startsWith('[') ? `${parent}${name}` : `${parent}.${name}`;
  }
}
