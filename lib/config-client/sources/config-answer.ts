import { ConfigAnswerError } from '../config-client.errors.js';
import type { ConfigSnapshot } from '../config-source.js';
import type { PropertySource, PropertyValue } from '../../common/properties/property-source.js';
import { flatten, isPlain, type PropertyTree } from '../../common/properties/property-tree.js';

/** A config server's answer as it was read: Spring Cloud Config's environment. */
export interface ConfigAnswer extends ConfigSnapshot {
  /** What the server wants to hear again with the next question. */
  readonly state?: string;
}

/**
 * Reads the JSON of an environment; throws `ConfigAnswerError` when it is none.
 *
 * Values may come with their origin, `{ value, origin }`, as the v2 media type has them.
 */
export function readConfigAnswer(body: string, url: string): ConfigAnswer {
  const document = parse(body, url);
  if (!isPlain(document) || !Array.isArray(document['propertySources'])) {
    throw new ConfigAnswerError(url, 'answered JSON that is no configuration: no propertySources');
  }
  const { version, label, state } = document;
  return {
    sources: document['propertySources'].map((source, at) => readSource(source, at, url)),
    ...(typeof version === 'string' ? { version } : {}),
    ...(typeof label === 'string' ? { label } : {}),
    ...(typeof state === 'string' ? { state } : {}),
  };
}

function parse(body: string, url: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The parser's own sentence quotes the text, in which there may be secrets.
    throw new ConfigAnswerError(url, `answered ${body.length} characters that are not JSON`);
  }
}

function readSource(source: unknown, at: number, url: string): PropertySource {
  if (!isPlain(source) || typeof source['name'] !== 'string' || !isPlain(source['source'])) {
    throw new ConfigAnswerError(url, `answered a propertySources[${at}] without name and source`);
  }
  const values: (readonly [string, PropertyValue])[] = [];
  const origins: (readonly [string, string])[] = [];
  for (const [key, said] of Object.entries(source['source'])) {
    if (!isTraced(said)) {
      values.push(...leavesOf(key, said));
      continue;
    }
    values.push(...leavesOf(key, said['value']));
    if (typeof said['origin'] === 'string') origins.push([key, said['origin']]);
  }
  return {
    name: source['name'],
    source: Object.fromEntries(values),
    ...(origins.length > 0 ? { origins: Object.fromEntries(origins) } : {}),
  };
}

/** A map of exactly `value` and `origin`. */
function isTraced(said: unknown): said is PropertyTree {
  return (
    isPlain(said) &&
    Object.keys(said).length === 2 &&
    Object.hasOwn(said, 'value') &&
    Object.hasOwn(said, 'origin')
  );
}

/** Some repositories of Spring (Vault) send lists and objects; they are made flat like everything else. */
function leavesOf(key: string, said: unknown): readonly (readonly [string, PropertyValue])[] {
  if (typeof said !== 'object' || said === null) return [[key, said as PropertyValue]];
  const wrapped = Object.fromEntries([[key, said]]);
  return [...flatten(wrapped)].map(([name, leaf]) => [
    name,
    typeof leaf === 'object' && leaf !== null ? '' : (leaf as PropertyValue),
  ]);
}
