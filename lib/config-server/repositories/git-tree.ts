import { posix } from 'node:path';
import type { ConfigResource } from '../config-repository.js';
import { ConfigFileError } from '../config-server.errors.js';
import type { ConfigDocument } from '../../common/properties/flatten.js';
import { OUTSIDE, readConfigFile, TOO_LARGE } from './config-file.js';
import type { ConfigTree } from './config-tree.js';
import type { GitObjects } from './git-objects.js';
import { matchingDirectories } from './search-locations.js';

/** What stands in a directory: its kind, and its object. */
interface GitEntry {
  readonly mode: string;
  readonly object: string;
}

/** The directory of a commit's root, and where its objects are read. */
export interface GitTreeParts {
  readonly root: string;
  /** When the commit was made, in ms since 1970. */
  readonly modified: number;
  readonly objects: Pick<GitObjects, 'read'>;
}

/** A link to a link to a link … is followed so many times. */
const MOST_LINKS = 8;
const LINK = '120000';
const FOLDER = '40000';
const FILE = /^100/;

/** The files of one commit; it never changes, so what was read of it stays. */
export class GitTree implements ConfigTree {
  private readonly read = new Map<string, Promise<readonly ConfigDocument[] | undefined>>();
  private readonly folders = new Map<string, Promise<ReadonlyMap<string, GitEntry>>>();

  constructor(private readonly parts: GitTreeParts) {}

  documents(file: string): Promise<readonly ConfigDocument[] | undefined> {
    const known = this.read.get(file);
    if (known) return known;
    const reading = this.file(file).then((found) => found && readConfigFile(file, found.bytes));
    this.read.set(file, reading);
    reading.catch(() => this.read.delete(file));
    return reading;
  }

  async file(path: string): Promise<ConfigResource | undefined> {
    const object = await this.follow(path);
    if (object === undefined) return undefined;
    return { name: path, bytes: await this.bytes(object, path), modified: this.parts.modified };
  }

  directories(pattern: string): Promise<readonly string[]> {
    return matchingDirectories(pattern, async (folder) => {
      const entries = await this.entriesOf(folder === '' ? [] : folder.split('/'));
      return [...(entries ?? [])].filter(([, { mode }]) => mode === FOLDER).map(([name]) => name);
    });
  }

  /** The file behind a path, through links of the file itself; a link out of the commit is refused. */
  private async follow(path: string): Promise<string | undefined> {
    let at = path;
    for (let links = 0; links < MOST_LINKS; links++) {
      const folder = at.split('/');
      const name = folder.pop() ?? '';
      const entry = (await this.entriesOf(folder))?.get(name);
      if (entry?.mode !== LINK) return entry && FILE.test(entry.mode) ? entry.object : undefined;
      const target = (await this.bytes(entry.object, path)).toString('utf8');
      at = posix.normalize(posix.join(posix.dirname(at), target));
      if (target.startsWith('/') || at === '..' || at.startsWith('../')) {
        throw new ConfigFileError(path, undefined, OUTSIDE);
      }
    }
    throw new ConfigFileError(path, undefined, 'is a link that goes round');
  }

  /** What stands in a directory; `undefined` when there is no such directory. */
  private async entriesOf(
    folder: readonly string[],
  ): Promise<ReadonlyMap<string, GitEntry> | undefined> {
    let entries = await this.open(this.parts.root);
    for (const name of folder) {
      const entry = entries.get(name);
      if (entry?.mode !== FOLDER) return undefined;
      entries = await this.open(entry.object);
    }
    return entries;
  }

  private open(object: string): Promise<ReadonlyMap<string, GitEntry>> {
    const known = this.folders.get(object);
    if (known) return known;
    const opening = this.bytes(object, 'a directory').then((bytes) =>
      entriesIn(bytes, object.length / 2),
    );
    this.folders.set(object, opening);
    opening.catch(() => this.folders.delete(object));
    return opening;
  }

  private async bytes(object: string, path: string): Promise<Buffer> {
    const found = await this.parts.objects.read(object);
    if (!found) throw new ConfigFileError(path, undefined, 'is missing in the mirror');
    if (!found.bytes) throw new ConfigFileError(path, undefined, TOO_LARGE);
    return found.bytes;
  }
}

/** A directory as git keeps it: kind, blank, name, zero byte, and the bytes of the object's name (git's "tree objects"). */
function entriesIn(bytes: Buffer, length: number): ReadonlyMap<string, GitEntry> {
  const entries = new Map<string, GitEntry>();
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at);
    const zero = bytes.indexOf(0, blank);
    if (blank === -1 || zero === -1) break;
    const mode = bytes.toString('latin1', at, blank);
    const object = bytes.toString('hex', zero + 1, zero + 1 + length);
    entries.set(bytes.toString('utf8', blank + 1, zero), { mode, object });
    at = zero + 1 + length;
  }
  return entries;
}
