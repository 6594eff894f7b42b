import { extname } from 'node:path';
import { isSafeKey } from '../../common/properties/property-key.js';
import type { PropertySource } from '../../common/properties/property-source.js';
import type { ConfigRequest } from '../config-source.js';
import { FORMATS, layersOf, textOf } from './config-documents.js';

/** How the values below the folder are written. */
export type KvFormat = 'keys' | 'yaml' | 'json' | 'properties' | 'files';

/** One key of the store. */
export interface KvEntry {
  readonly key: string;
  readonly bytes: Buffer;
}

/** The layers that the entries below a folder make for an application, highest first. */
export async function layersOfEntries(
  entries: readonly KvEntry[],
  { format, prefix }: { readonly format: KvFormat; readonly prefix: string },
  { name, profiles }: ConfigRequest,
): Promise<readonly PropertySource[]> {
  const found = new Map(entries.map(({ key, bytes }) => [key, bytes]));
  const contexts = [name, 'application'].flatMap((each) =>
    [...profiles.toReversed(), ''].map((profile) => (profile === '' ? [each] : [each, profile])),
  );
  const layers: PropertySource[] = [];
  for (const context of contexts) {
    if (format === 'keys')
      layers.push(...propertiesBelow(entries, `${prefix}/${context.join(',')}/`));
    for (const file of documentsOf(context, format)) {
      const place = `consul:${prefix}/${file}`;
      const bytes = found.get(`${prefix}/${file}`);
      if (!bytes) continue;
      const written = format === 'files' ? (FORMATS[extname(file)] ?? 'yaml') : format;
      if (written === 'keys') continue;
      const text = textOf(bytes, place);
      layers.push(...(await layersOf({ place, format: written, text }, profiles)));
    }
  }
  return layers;
}

function documentsOf(context: readonly string[], format: KvFormat): readonly string[] {
  if (format === 'keys') return [];
  if (format !== 'files') return [`${context.join(',')}/data`];
  return Object.keys(FORMATS).map((ending) => `${context.join('-')}${ending}`);
}

/** `config/orders/db/pool/max` is `db.pool.max`. */
function propertiesBelow(entries: readonly KvEntry[], folder: string): readonly PropertySource[] {
  const values: (readonly [string, string])[] = [];
  const origins: (readonly [string, string])[] = [];
  for (const { key, bytes } of entries) {
    const below = key.startsWith(folder) && !key.endsWith('/') ? key.slice(folder.length) : '';
    const property = below.replaceAll('/', '.');
    if (property === '' || !isSafeKey(property)) continue;
    values.push([property, textOf(bytes, `consul:${key}`)]);
    origins.push([property, `consul:${key}`]);
  }
  if (values.length === 0) return [];
  const source = { source: Object.fromEntries(values), origins: Object.fromEntries(origins) };
  return [{ name: `consul:${folder}`, ...source }];
}
