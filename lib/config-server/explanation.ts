import { Placeholders } from '../common/properties/placeholders.js';
import { listOf } from '../common/properties/property-key.js';
import type { PublishedSource } from './config-assembler.js';
import { mergedProperties } from './merged-properties.js';

/** Who says what of a key. */
export interface KeyExplanation {
  readonly key: string;
  /** What counts, with its placeholders filled as far as the server can; absent when nobody says anything. */
  readonly value?: unknown;
  /** The layer it is from. */
  readonly winner?: string;
  /** File and line of it. */
  readonly origin?: string;
  /** Every layer that says something of the key, the highest first, as it is written there. */
  readonly layers: readonly {
    readonly name: string;
    readonly value: unknown;
    readonly origin?: string;
  }[];
}

/** What is shown of a secret. */
const HIDDEN = '******';

/** Explains a key, which may be that of a list; the values of secrets are not shown. */
export function explained(sources: readonly PublishedSource[], key: string): KeyExplanation {
  const concerns = (name: string) => name === key || listOf(name) === key;
  const layers = sources.flatMap((layer) => {
    const names = Object.keys(layer.source).filter(concerns);
    const [first] = names;
    if (first === undefined) return [];
    const said = names.map((name) => shown(layer, name, layer.source[name]));
    const origin = layer.origins?.[first];
    const value = first === key ? said[0] : said;
    return [{ name: layer.name, value, ...(origin === undefined ? {} : { origin }) }];
  });
  const properties = mergedProperties(sources);
  const counting = [...properties].filter(([name]) => concerns(name));
  const [winner] = counting;
  if (!winner) return { key, layers };
  // What a placeholder stands for may be a secret too.
  const placeholders = new Placeholders((name) => {
    const found = properties.get(name);
    return found && shown(found.layer, name, found.value);
  });
  const values = counting.map(([name, { value, layer }]) =>
    shown(layer, name, value, () => placeholders.resolve(value)),
  );
  const [name, { layer }] = winner;
  const origin = layer.origins?.[name];
  return {
    key,
    value: name === key ? values[0] : values,
    winner: layer.name,
    ...(origin === undefined ? {} : { origin }),
    layers,
  };
}

function shown(
  layer: PublishedSource,
  key: string,
  value: unknown,
  resolve: () => unknown = () => value,
): unknown {
  return layer.secrets?.has(key) ? HIDDEN : resolve();
}
