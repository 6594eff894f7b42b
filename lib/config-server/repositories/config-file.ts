import { open, realpath } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { ConfigFileError, RepositoryError } from '../config-server.errors.js';
import { type ConfigDocument, FormatError } from '../../common/properties/flatten.js';
import { readProperties } from '../../common/properties/properties-format.js';

/** A larger file is refused, in bytes. */
const MOST_BYTES = 1024 * 1024;

/** The endings that are read, the strongest first, and how; the YAML parser is loaded when the first such file is there. */
const FORMATS: Readonly<Record<string, (text: string) => Promise<readonly ConfigDocument[]>>> = {
  '.properties': async (text) => readProperties(text),
  '.yml': async (text) => (await import('../../common/properties/yaml-format.js')).readYaml(text),
  '.yaml': async (text) => (await import('../../common/properties/yaml-format.js')).readYaml(text),
  '.json': async (text) => (await import('../../common/properties/yaml-format.js')).readJson(text),
};

/** The endings that are read, the strongest first. */
export const ENDINGS: readonly string[] = Object.keys(FORMATS);

/**
 * The documents of a file below a root, given by its relative name; `undefined` when there is none.
 *
 * Throws `ConfigFileError`, naming file and line, when it is broken, too large, or leads out of the root.
 */
export async function readConfigFile(
  root: string,
  name: string,
): Promise<readonly ConfigDocument[] | undefined> {
  const bytes = await readInside(root, name);
  if (!bytes) return undefined;
  const text = decoded(bytes, name);
  const ending = ENDINGS.find((each) => name.endsWith(each)) ?? '';
  try {
    return await FORMATS[ending]?.(text);
  } catch (error) {
    if (error instanceof FormatError) throw new ConfigFileError(name, error.line, error.message);
    // The parser calls itself for every level.
    if (error instanceof RangeError)
      throw new ConfigFileError(name, undefined, 'nested too deeply');
    throw error;
  }
}

async function readInside(root: string, name: string): Promise<Buffer | undefined> {
  const path = resolve(root, name);
  if (relative(root, path).startsWith('..')) throw new ConfigFileError(name, undefined, OUTSIDE);
  try {
    const real = await realpath(path);
    if (!real.startsWith(`${await realpath(root)}${sep}`)) {
      throw new ConfigFileError(name, undefined, OUTSIDE);
    }
    return await readWhole(real, name);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (error instanceof RepositoryError) throw error;
    throw new ConfigFileError(name, undefined, `cannot be read (${code ?? 'unknown reason'})`);
  }
}

const OUTSIDE = 'leads out of the repository';

async function readWhole(path: string, name: string): Promise<Buffer | undefined> {
  const file = await open(path, 'r');
  try {
    const before = await file.stat();
    if (!before.isFile()) return undefined;
    if (before.size > MOST_BYTES) {
      throw new ConfigFileError(name, undefined, `larger than ${MOST_BYTES} bytes. Split it.`);
    }
    const bytes = await file.readFile();
    const after = await file.stat();
    if (after.mtimeMs !== before.mtimeMs || after.size !== bytes.length) {
      throw new ConfigFileError(name, undefined, 'was written to while it was read');
    }
    return bytes;
  } finally {
    await file.close();
  }
}

function decoded(bytes: Buffer, name: string): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new ConfigFileError(name, 1, 'begins with a byte order mark. Save it without one.');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const text = bytes.toString('utf8');
    const line = text.slice(0, text.indexOf('\uFFFD')).split('\n').length;
    throw new ConfigFileError(name, line, 'is not UTF-8. Save it in that encoding.');
  }
}

/** The relative name of a file in a folder of the repository, with slashes on every system. */
export function nameIn(folder: string, file: string): string {
  return folder === '' ? file : join(folder, file).replaceAll(sep, '/');
}
