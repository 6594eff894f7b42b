import { open, readdir, realpath } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import type { ConfigResource } from '../config-repository.js';
import { ConfigFileError, RepositoryError } from '../config-server.errors.js';
import type { ConfigDocument } from '../../common/properties/flatten.js';
import { MOST_BYTES, OUTSIDE, readConfigFile, TOO_LARGE } from './config-file.js';
import type { ConfigTree } from './config-tree.js';
import { matchingDirectories } from './search-locations.js';

type Documents = readonly ConfigDocument[] | undefined;

/** A directory between two of its changes; what was read once is shared by all who look. */
export class FolderTree implements ConfigTree {
  private readonly read = new Map<string, Promise<Documents>>();

  /** @param root as the system calls it, without links */
  constructor(private readonly root: string) {}

  documents(file: string): Promise<Documents> {
    const known = this.read.get(file);
    if (known) return known;
    const reading = this.file(file).then((found) => found && readConfigFile(file, found.bytes));
    this.read.set(file, reading);
    // A failure is not kept: the next attempt reads again.
    reading.catch(() => this.read.delete(file));
    return reading;
  }

  /** Throws `ConfigFileError` when it is too large or leads out of the root, by its name or by links. */
  async file(name: string): Promise<ConfigResource | undefined> {
    const path = resolve(this.root, name);
    if (relative(this.root, path).startsWith('..')) {
      throw new ConfigFileError(name, undefined, OUTSIDE);
    }
    try {
      const real = await realpath(path);
      if (!real.startsWith(`${this.root}${sep}`)) {
        throw new ConfigFileError(name, undefined, OUTSIDE);
      }
      return await readWhole(real, name);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
      if (error instanceof RepositoryError) throw error;
      throw new ConfigFileError(name, undefined, `cannot be read (${code ?? 'unknown reason'})`);
    }
  }

  directories(pattern: string): Promise<readonly string[]> {
    return matchingDirectories(pattern, async (folder) => {
      const entries = await readdir(resolve(this.root, folder), { withFileTypes: true }).catch(
        () => [],
      );
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    });
  }
}

async function readWhole(path: string, name: string): Promise<ConfigResource | undefined> {
  const file = await open(path, 'r');
  try {
    const before = await file.stat();
    if (!before.isFile()) return undefined;
    if (before.size > MOST_BYTES) throw new ConfigFileError(name, undefined, TOO_LARGE);
    const bytes = await file.readFile();
    const after = await file.stat();
    if (after.mtimeMs !== before.mtimeMs || after.size !== bytes.length) {
      throw new ConfigFileError(name, undefined, 'was written to while it was read');
    }
    return { name, bytes, modified: after.mtimeMs };
  } finally {
    await file.close();
  }
}
