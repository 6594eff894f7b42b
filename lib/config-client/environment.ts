import { type EnvironmentVariables, itemsOf, typedLike } from './environment-variables.js';
import { Placeholders } from '../common/properties/placeholders.js';
import { listOf } from '../common/properties/property-key.js';
import type { PropertySource } from '../common/properties/property-source.js';
import {
  flatten,
  mergeTrees,
  type PropertyTree,
  unflatten,
} from '../common/properties/property-tree.js';

/** Where the value of a key came from, layer by layer. */
export interface Explanation {
  readonly key: string;
  /** What `get` answers. */
  readonly value: unknown;
  /** The name of the layer whose value it is. */
  readonly winner?: string;
  /** The version of the snapshot, as its source counts it. */
  readonly version?: string;
  /** Every layer that says something of the key, highest first. */
  readonly layers: readonly ExplainedLayer[];
}

export interface ExplainedLayer {
  readonly name: string;
  /** As it is written there: placeholders are not filled. */
  readonly value: unknown;
  /** File and line, or the variable's name, where that is known. */
  readonly origin?: string;
}

/** What an environment is made of. */
export interface EnvironmentParts {
  readonly variables: EnvironmentVariables;
  /** The remote layers, highest first. */
  readonly sources: readonly PropertySource[];
  /** Local values beneath everything else. */
  readonly defaults: PropertyTree;
}

interface Layer {
  readonly name: string;
  readonly values: ReadonlyMap<string, unknown>;
  readonly origins?: Readonly<Record<string, string>>;
}

interface Property {
  readonly value: unknown;
  readonly layer: string;
}

const VARIABLES = 'environment variables';
const DEFAULTS = 'local defaults';

/**
 * Configuration as it counts: layers merged by precedence, lists replaced whole, placeholders filled.
 *
 * Environment variables win over remote sources, these over local defaults. A variable counts for keys that a layer
 * knows, by its relaxed name and as the kind of value it replaces; a list of scalars is replaced by `HOSTS=a,b`.
 */
export class Environment {
  /** The merged document. */
  readonly tree: PropertyTree;
  /** What makes it unusable: placeholders that ask for each other in a circle. */
  readonly issues: readonly string[];
  private readonly layers: readonly Layer[];
  private readonly properties: ReadonlyMap<string, Property>;

  constructor(private readonly parts: EnvironmentParts) {
    this.layers = [
      ...parts.sources.map(layerOf),
      { name: DEFAULTS, values: flatten(parts.defaults) },
    ];
    this.properties = overridden(merged(this.layers), parts.variables);
    const circles = new Map<string, string>();
    let asking = '';
    const placeholders = new Placeholders(
      (key) => this.properties.get(key)?.value ?? parts.variables.find(key)?.text,
      (keys) => circles.set(asking, keys.join(' → ')),
    );
    const flat: [string, unknown][] = [];
    for (const [key, { value }] of this.properties) {
      asking = key;
      flat.push([key, placeholders.resolve(value)]);
    }
    this.tree = unflatten(flat);
    this.issues = [...circles].map(
      ([key, circle]) =>
        `${key}: its placeholders ask for each other, ${circle} (${this.originOf(key)}). Give one of them a value or a default`,
    );
  }

  /** The same, with further local defaults that win over those there were. */
  above(defaults: PropertyTree): Environment {
    if (Object.keys(defaults).length === 0) return this;
    const { parts } = this;
    return new Environment({ ...parts, defaults: mergeTrees(parts.defaults, defaults) });
  }

  /** Where the value of a key stands: a file and its line, a variable, or at least its layer. */
  originOf(key: string): string | undefined {
    const property = this.properties.get(key) ?? this.properties.get(`${key}[0]`);
    if (!property) return this.parts.variables.find(key)?.name;
    if (property.layer === VARIABLES) return this.parts.variables.find(key)?.name ?? VARIABLES;
    const layer = this.layers.find(({ name }) => name === property.layer);
    return layer?.origins?.[key] ?? layer?.origins?.[`${key}[0]`] ?? property.layer;
  }

  /** The layer that won a key, and every layer that has a say in it. */
  explain(key: string): Pick<Explanation, 'winner' | 'layers'> {
    const below = `${key}[`;
    const concerns = (name: string) => name === key || (name.startsWith(below) && !!listOf(name));
    const variable = this.parts.variables.find(key);
    const layers: ExplainedLayer[] = variable
      ? [{ name: VARIABLES, value: variable.text, origin: variable.name }]
      : [];
    for (const { name, values, origins } of this.layers) {
      const said = [...values].filter(([name]) => concerns(name));
      if (said.length === 0) continue;
      const [first, value] = said[0] as readonly [string, unknown];
      const whole = first === key ? value : said.map(([, item]) => item);
      const origin = origins?.[first];
      layers.push({ name, value: whole, ...(origin ? { origin } : {}) });
    }
    const property = [...this.properties].find(([name]) => concerns(name))?.[1];
    const winner = property?.layer ?? (variable && VARIABLES);
    return { ...(winner ? { winner } : {}), layers };
  }
}

function layerOf({ name, source, origins }: PropertySource): Layer {
  return { name, values: new Map(Object.entries(source)), ...(origins ? { origins } : {}) };
}

/** The first layer that has a key owns it; one that has any item of a list owns the whole list. */
function merged(layers: readonly Layer[]): Map<string, Property> {
  const owners = new Map<string, Layer>();
  const properties = new Map<string, Property>();
  for (const layer of layers) {
    for (const [key, value] of layer.values) {
      const owned = listOf(key) ?? key;
      const owner = owners.get(owned) ?? layer;
      if (owner !== layer) continue;
      owners.set(owned, layer);
      properties.set(key, { value, layer: layer.name });
    }
  }
  return properties;
}

/** Puts the variables over the properties that they name. */
function overridden(
  properties: Map<string, Property>,
  variables: EnvironmentVariables,
): ReadonlyMap<string, Property> {
  const lists = new Map<string, unknown>();
  for (const [key, { value }] of properties) {
    const list = listOf(key);
    if (list === undefined) {
      const variable = variables.find(key);
      if (!variable) continue;
      properties.set(key, { value: typedLike(variable.text, value), layer: VARIABLES });
    } else if (key.replace(/\[\d+\]$/, '') === list) lists.set(list, lists.get(list) ?? value);
    else lists.set(list, NOT_SCALARS);
  }
  for (const [list, like] of lists) {
    const variable = like === NOT_SCALARS ? undefined : variables.find(list);
    if (!variable) continue;
    for (const key of properties.keys()) if (listOf(key) === list) properties.delete(key);
    for (const [key, value] of itemsOf(list, variable.text, like)) {
      properties.set(key, { value, layer: VARIABLES });
    }
  }
  return properties;
}

/** Marks a list whose items are objects or lists; one variable cannot say it. */
const NOT_SCALARS = Symbol('items that are no scalars');
