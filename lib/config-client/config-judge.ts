import { ConfigCipher } from '../common/cipher/config-cipher.js';
import type { PropertySource } from '../common/properties/property-source.js';
import {
  isPlain,
  lookUp,
  mergeTrees,
  type PropertyTree,
  unflatten,
} from '../common/properties/property-tree.js';
import { digestOf } from './schema-digest.js';
import { judgeClass } from './class-validation.js';
import type { GoodConfig } from './config-client.js';
import type { ConfigSnapshot } from './config-source.js';
import type { SectionDefinition, SectionType } from './config-section.js';
import {
  type ConfigCheck,
  isStandardSchema,
  judge,
  type OriginLookup,
  type SchemaIssue,
  sentences,
  type StandardSchema,
} from './config-validation.js';
import { Environment } from './environment.js';
import type { EnvironmentVariables } from './environment-variables.js';

/** What configurations are judged by. */
export interface ConfigJudgeParts {
  readonly variables: EnvironmentVariables;
  readonly defaults: PropertyTree;
  readonly validate: StandardSchema | ConfigCheck | undefined;
  readonly sections: readonly SectionDefinition[];
  /** Opens `{cipher}` values; without it they stay as they are. */
  readonly cipher?: ConfigCipher;
}

/** A configuration that passed, with what it was made of. */
export interface Judged extends GoodConfig {
  readonly snapshot: ConfigSnapshot;
}

/** What is wrong with one that did not, one sentence for each key. */
export interface Refusal {
  readonly issues: readonly string[];
}

/** Makes a whole configuration of layers: opens its secrets, merges, fills placeholders, and asks every rule. */
export class ConfigJudge {
  constructor(private readonly parts: ConfigJudgeParts) {}

  /** A digest of the rules that is another when they are others; `undefined` without any. */
  get digest(): string | undefined {
    const { validate, sections } = this.parts;
    const rules = [validate, ...sections.flatMap(({ prefix, check }) => [prefix, check])];
    return validate === undefined && sections.length === 0 ? undefined : digestOf(rules);
  }

  async judge(snapshot: ConfigSnapshot): Promise<Judged | Refusal> {
    const { variables, defaults, validate } = this.parts;
    const { sources, secrets, issues } = this.opened(snapshot.sources);
    if (issues.length > 0) return { issues };
    const environment = new Environment({ variables, sources, defaults });
    if (environment.issues.length > 0) return { issues: environment.issues };
    const originOf: OriginLookup = (key) => environment.originOf(key);
    const verdict = await judge(environment.tree, validate, originOf);
    if (!verdict.good) return verdict;
    const judged = await this.sections(mergeTrees(environment.tree, verdict.tree), originOf);
    if ('issues' in judged) return judged;
    return { environment, ...judged, version: snapshot.version, secrets, snapshot };
  }

  /** The keys of encrypted values for which there is no key here. */
  unopened({ snapshot }: Judged): readonly string[] {
    if (this.parts.cipher) return [];
    return snapshot.sources.flatMap(({ source }) =>
      Object.keys(source).filter((key) => ConfigCipher.isSecret(source[key])),
    );
  }

  /** The layers with their secrets in clear, and the keys of these. */
  private opened(sources: readonly PropertySource[]) {
    const { cipher } = this.parts;
    const secrets = new Set<string>();
    const issues: string[] = [];
    const opened = sources.map((layer) => {
      const encrypted = Object.entries(layer.source).filter(([, value]) =>
        ConfigCipher.isSecret(value),
      );
      if (encrypted.length === 0) return layer;
      const source = { ...layer.source };
      for (const [key, value] of encrypted) {
        secrets.add(key);
        try {
          if (cipher) source[key] = cipher.decrypt(String(value));
        } catch {
          const origin = layer.origins?.[key] ?? layer.name;
          issues.push(`${key}: cannot be decrypted with the keys of config.decrypt (${origin})`);
        }
      }
      return { ...layer, source };
    });
    return { sources: opened, secrets, issues };
  }

  private async sections(
    tree: PropertyTree,
    originOf: OriginLookup,
  ): Promise<Pick<Judged, 'tree' | 'sections'> | Refusal> {
    const values = new Map<SectionDefinition, object>();
    const issues: string[] = [];
    let whole = tree;
    for (const section of this.parts.sections) {
      const { prefix, check } = section;
      const below = lookUp(tree, prefix) ?? {};
      const result = await resultOf(check, below);
      if ('value' in result) {
        values.set(section, result.value);
        const document = documentOf(prefix, plain(result.value));
        whole = mergeTrees(whole, document);
      } else {
        const above = prefix === '' ? [] : [prefix];
        const path = (issue: SchemaIssue) => [...above, ...(issue.path ?? [])];
        const placed = result.issues.map((issue) => ({
          message: issue.message,
          path: path(issue),
        }));
        issues.push(...sentences(placed, tree, originOf));
      }
    }
    return issues.length > 0 ? { issues } : { tree: whole, sections: values };
  }
}

async function resultOf(check: StandardSchema | SectionType, below: unknown) {
  if (!isPlain(below)) return { issues: [{ message: 'must hold keys and values' }] };
  if (!isStandardSchema(check)) return judgeClass(check, below);
  const result = await check['~standard'].validate(below);
  if (result.issues) return { issues: result.issues };
  const { value } = result;
  if (typeof value === 'object' && value !== null) return { value };
  return { issues: [{ message: 'its schema makes no object of it' }] };
}

/** A value at its place. */
function documentOf(prefix: string, value: unknown): PropertyTree {
  return prefix === '' ? (value as PropertyTree) : unflatten([[prefix, value]]);
}

/** Instances of sections as documents, so that `get('db.poolMax')` knows the default of a class as well. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (Object.prototype.toString.call(value) !== '[object Object]') return value;
  const entries = Object.entries(value as object).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, plain(item)]));
}
