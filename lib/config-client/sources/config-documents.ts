import type { ConfigDocument } from '../../common/properties/flatten.js';
import { FormatError } from '../../common/properties/flatten.js';
import { profilesMatch } from '../../common/properties/profile-expression.js';
import { readProperties } from '../../common/properties/properties-format.js';
import type { PropertySource } from '../../common/properties/property-source.js';
import { ConfigFileError } from '../config-client.errors.js';

/** How a text is written. */
export type ConfigFormat = 'yaml' | 'json' | 'properties';

/** A text of configuration, and what it is called in messages and origins. */
export interface ConfigText {
  readonly place: string;
  readonly format: ConfigFormat;
  readonly text: string;
}

/** The formats by the ending of a file's name. */
export const FORMATS: Readonly<Record<string, ConfigFormat>> = {
  '.properties': 'properties',
  '.yml': 'yaml',
  '.yaml': 'yaml',
  '.json': 'json',
};

const ON_PROFILE = /^spring\.config\.activate\.on-profile(?:\[\d+\])?$/;

/**
 * The layers of a text, the last document first; documents for other profiles are left out.
 *
 * Throws `ConfigFileError` with the place and the line when it is broken.
 */
export async function layersOf(
  { place, format, text }: ConfigText,
  profiles: readonly string[],
): Promise<readonly PropertySource[]> {
  const active = new Set(profiles);
  try {
    const documents = await read(text, format);
    const layers = documents.flatMap(({ entries }, at) => {
      if (entries.length === 0 || !isActive(entries, active)) return [];
      const several = documents.length > 1 ? ` (document #${at})` : '';
      const origins = entries.map(({ key, position }) => [key, `${place}:${position}`] as const);
      return {
        name: `${place}${several}`,
        source: Object.fromEntries(entries.map(({ key, value }) => [key, value])),
        origins: Object.fromEntries(origins),
      };
    });
    return layers.toReversed();
  } catch (error) {
    if (error instanceof FormatError) throw new ConfigFileError(place, error.line, error.message);
    // The parser calls itself for every level.
    if (error instanceof RangeError)
      throw new ConfigFileError(place, undefined, 'nested too deeply');
    throw error;
  }
}

/** The text of bytes; throws `ConfigFileError` with the line when they are not UTF-8. */
export function textOf(bytes: Buffer, place: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const text = bytes.toString('utf8');
    const line = text.slice(0, text.indexOf('\uFFFD')).split('\n').length;
    throw new ConfigFileError(place, line, 'is not UTF-8. Save it in that encoding.');
  }
}

/** The YAML parser is loaded with the first text that needs it. */
async function read(text: string, format: ConfigFormat): Promise<readonly ConfigDocument[]> {
  if (format === 'properties') return readProperties(text);
  const yaml = await import('../../common/properties/yaml-format.js');
  return format === 'json' ? yaml.readJson(text) : yaml.readYaml(text);
}

function isActive(entries: ConfigDocument['entries'], active: ReadonlySet<string>): boolean {
  const conditions = entries.filter(({ key }) => ON_PROFILE.test(key));
  if (conditions.length === 0) return true;
  return conditions.some(({ value, position }) => {
    try {
      return profilesMatch(String(value), active);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new FormatError(error.message, Number.parseInt(position, 10));
    }
  });
}
