import type { PropertyValue } from '../common/properties/property-source.js';
import { flatten, isPlain, type PropertyTree } from '../common/properties/property-tree.js';

/** The flat properties of an object written in code; `\${` is the way to write `${` there, as with Spring's overrides. */
export function flatProperties(document: PropertyTree): Readonly<Record<string, PropertyValue>> {
  const entries = [...flatten(document)].flatMap(([key, value]) => {
    if (isPlain(value)) return [];
    const text = typeof value === 'string' ? value.replaceAll('\\${', '${') : value;
    const scalar = ['string', 'number', 'boolean'].includes(typeof text);
    return [[key, scalar ? (text as PropertyValue) : '']];
  });
  return Object.fromEntries(entries) as Readonly<Record<string, PropertyValue>>;
}
