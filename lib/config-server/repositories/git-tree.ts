import { posix } from 'node:path';
import type { ConfigResource } from '../config-repository.js';
import { ConfigFileError } from '../config-server.errors.js';
import type { ConfigDocument } from '../../common/properties/flatten.js';
import { MOST_BYTES, OUTSIDE, readConfigFile, TOO_LARGE } from './config-file.js';
import type { ConfigTree } from './config-tree.js';
import { matchingDirectories } from './search-locations.js';

/** A file of a commit: its kind, its object, and how large it is. */
export interface GitEntry {
  readonly mode: string;
  readonly object: string;
  readonly size: number;
}

/** Reads objects of a repository, in order. */
export type ObjectReader = (objects: readonly string[]) => Promise<readonly Buffer[]>;

/** A link to a link to a link … is followed so many times. */
const MOST_LINKS = 8;
const LINK = '120000';

/** The files of one commit; it never changes, so what was read of it stays. */
export class GitTree implements ConfigTree {
  private readonly read = new Map<string, Promise<readonly ConfigDocument[] | undefined>>();
  private wanted: Wanted[] = [];

  /** @param modified when the commit was made, in ms since 1970 */
  constructor(
    private readonly entries: ReadonlyMap<string, GitEntry>,
    private readonly modified: number,
    private readonly objects: ObjectReader,
  ) {}

  documents(file: string): Promise<readonly ConfigDocument[] | undefined> {
    const known = this.read.get(file);
    if (known) return known;
    const reading = this.file(file).then((found) => found && readConfigFile(file, found.bytes));
    this.read.set(file, reading);
    reading.catch(() => this.read.delete(file));
    return reading;
  }

  async file(path: string): Promise<ConfigResource | undefined> {
    const entry = await this.follow(path);
    if (!entry) return undefined;
    if (entry.size > MOST_BYTES) throw new ConfigFileError(path, undefined, TOO_LARGE);
    return { name: path, bytes: await this.bytes(entry.object), modified: this.modified };
  }

  directories(pattern: string): Promise<readonly string[]> {
    return matchingDirectories(pattern, async (folder) => {
      const names = new Set<string>();
      const above = folder === '' ? '' : `${folder}/`;
      for (const path of this.entries.keys()) {
        if (!path.startsWith(above)) continue;
        const slash = path.indexOf('/', above.length);
        if (slash !== -1) names.add(path.slice(above.length, slash));
      }
      return [...names];
    });
  }

  /** The file behind a path, through links of the file itself; a link out of the commit is refused. */
  private async follow(path: string): Promise<GitEntry | undefined> {
    let at = path;
    for (let links = 0; links < MOST_LINKS; links++) {
      const entry = this.entries.get(at);
      if (entry?.mode !== LINK) return entry;
      const target = (await this.bytes(entry.object)).toString('utf8');
      at = posix.normalize(posix.join(posix.dirname(at), target));
      if (target.startsWith('/') || at === '..' || at.startsWith('../')) {
        throw new ConfigFileError(path, undefined, OUTSIDE);
      }
    }
    throw new ConfigFileError(path, undefined, 'is a link that goes round');
  }

  /** Objects that are asked for in the same turn are read by one run of git. */
  private bytes(object: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.wanted.length === 0) queueMicrotask(() => void this.flush());
      this.wanted.push({ object, resolve, reject });
    });
  }

  private async flush(): Promise<void> {
    // The other files of the same search come within a few turns of this one.
    await Promise.resolve();
    const wanted = this.wanted;
    this.wanted = [];
    try {
      const found = await this.objects(wanted.map(({ object }) => object));
      for (const [at, { resolve }] of wanted.entries()) resolve(found[at] ?? Buffer.alloc(0));
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    }
  }
}

interface Wanted {
  readonly object: string;
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads what `git ls-tree -r -l -z` writes. */
export function readEntries(listing: string): ReadonlyMap<string, GitEntry> {
  const entries = new Map<string, GitEntry>();
  for (const line of listing.split('\0')) {
    const [, mode = '', object = '', size = '', path] =
      /^(\d{6}) blob ([0-9a-f]+) +(\d+)\t([^]+)$/.exec(line) ?? [];
    if (path !== undefined) entries.set(path, { mode, object, size: Number(size) });
  }
  return entries;
}

/** Reads what `git cat-file --batch` writes for so many objects. */
export function readObjects(output: Buffer, count: number): readonly Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  while (found.length < count) {
    const end = output.indexOf(10, at);
    const size = Number(output.toString('latin1', at, end).split(' ')[2]);
    if (end === -1 || !Number.isInteger(size)) throw new Error('git cat-file wrote no object');
    found.push(output.subarray(end + 1, end + 1 + size));
    at = end + 1 + size + 1;
  }
  return found;
}
