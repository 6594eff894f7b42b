import { Placeholders } from '../common/properties/placeholders.js';
import { listOf } from '../common/properties/property-key.js';
import type { PropertyValue } from '../common/properties/property-source.js';
import { type PropertyTree, unflatten } from '../common/properties/property-tree.js';
import type { PublishedSource } from './config-assembler.js';

/** A property and the layer that won it. */
export interface MergedProperty {
  readonly value: PropertyValue;
  readonly layer: PublishedSource;
}

/**
 * All layers as one: the highest that has a key wins, and the highest that has any item of a list, or the list's own name,
 * owns the whole list. In the order of the layers from the lowest, lists at the end, as Spring writes them.
 */
export function mergedProperties(
  sources: readonly PublishedSource[],
): ReadonlyMap<string, MergedProperty> {
  const owners = new Map<string, PublishedSource>();
  for (const layer of sources) {
    for (const key of Object.keys(layer.source)) {
      const owned = listOf(key) ?? key;
      if (!owners.has(owned)) owners.set(owned, layer);
    }
  }
  const plain = new Map<string, MergedProperty>();
  const items = new Map<string, MergedProperty>();
  for (const layer of sources.toReversed()) {
    for (const [key, value] of Object.entries(layer.source)) {
      const list = listOf(key);
      // Spring's own key for profiles is not passed on in these formats.
      if (key === 'spring.profiles') continue;
      if (list === undefined) plain.set(key, { value, layer });
      else if (owners.get(list) === layer) items.set(key, { value, layer });
    }
  }
  // A scalar below a list of the same name is replaced by the list.
  for (const [key, { layer }] of plain) if (owners.get(key) !== layer) plain.delete(key);
  return new Map([...plain, ...items]);
}

/** Values with their placeholders filled from the same properties. */
export function placeholdersOf(properties: ReadonlyMap<string, MergedProperty>): Placeholders {
  return new Placeholders((key) => properties.get(key)?.value);
}

/** The document of merged properties. */
export function documentOf(
  properties: ReadonlyMap<string, MergedProperty>,
  resolve: (value: unknown) => unknown,
): PropertyTree {
  return unflatten([...properties].map(([key, { value }]) => [key, resolve(value)] as const));
}
