import { ConfigFileError } from '../config-server.errors.js';
import { type ConfigDocument, FormatError } from '../../common/properties/flatten.js';
import { readProperties } from '../../common/properties/properties-format.js';

/** A larger file is refused, in bytes. */
export const MOST_BYTES = 1024 * 1024;

/** What is said of a file that is larger. */
export const TOO_LARGE = `larger than ${MOST_BYTES} bytes. Split it.`;

/** What is said of a link, or a path, that does not stay inside. */
export const OUTSIDE = 'leads out of the repository';

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
 * The documents of a configuration file, by its name's ending.
 *
 * Throws `ConfigFileError`, naming file and line, when it is broken or too large.
 */
export async function readConfigFile(
  name: string,
  bytes: Buffer,
): Promise<readonly ConfigDocument[]> {
  if (bytes.length > MOST_BYTES) throw new ConfigFileError(name, undefined, TOO_LARGE);
  const text = decoded(bytes, name);
  const ending = ENDINGS.find((each) => name.endsWith(each)) ?? '';
  try {
    return (await FORMATS[ending]?.(text)) ?? [];
  } catch (error) {
    if (error instanceof FormatError) throw new ConfigFileError(name, error.line, error.message);
    // The parser calls itself for every level.
    if (error instanceof RangeError)
      throw new ConfigFileError(name, undefined, 'nested too deeply');
    throw error;
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
