import type { PropertySource } from '../../common/properties/property-source.js';
import { ConfigFileError } from '../config-server.errors.js';
import { type ConfigDocument, FormatError } from '../../common/properties/flatten.js';
import { profilesMatch } from '../../common/properties/profile-expression.js';

/** The layers of one file, the last document first. */
export function layersOf(
  { file, name: whole }: { readonly file: string; readonly name: string },
  documents: readonly ConfigDocument[] | undefined,
  active: ReadonlySet<string>,
): readonly PropertySource[] {
  if (!documents) return [];
  const several = documents.length > 1;
  const sources = documents.flatMap(({ entries }, at) => {
    if (entries.length === 0 || !isActive(file, entries, active)) return [];
    const name = `${whole}${several ? ` (document #${at})` : ''}`;
    const source = Object.fromEntries(entries.map(({ key, value }) => [key, value]));
    const origins = entries.map(({ key, position }) => [key, `${whole}:${position}`]);
    return [{ name, source, origins: Object.fromEntries(origins) as Record<string, string> }];
  });
  return sources.toReversed();
}

const ON_PROFILE = /^spring\.config\.activate\.on-profile(?:\[\d+\])?$/;

function isActive(
  file: string,
  entries: ConfigDocument['entries'],
  active: ReadonlySet<string>,
): boolean {
  const conditions = entries.filter(({ key }) => ON_PROFILE.test(key));
  if (conditions.length === 0) return true;
  return conditions.some(({ value, position }) => {
    try {
      return profilesMatch(String(value), active);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new ConfigFileError(file, Number.parseInt(position, 10), error.message);
    }
  });
}
