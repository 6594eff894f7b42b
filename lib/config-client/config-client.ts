import { isDeepStrictEqual } from 'node:util';
import { Logger } from '@nestjs/common';
import { type Observable, Subject } from 'rxjs';
import { messageOf } from '../common/errors.js';
import type { EventHub } from '../common/event-hub.js';
import { MissingConfigError } from './config-client.errors.js';
import type { ConfigChange } from './config-client.events.js';
import { type ConfigListener, ConfigListeners } from './config-listeners.js';
import type { SectionDefinition } from './config-section.js';
import type { Environment, Explanation } from './environment.js';
import { type EnvironmentVariables, typedLike } from './environment-variables.js';
import {
  flatten,
  lookUp,
  mergeTrees,
  type PropertyTree,
  unflatten,
} from '../common/properties/property-tree.js';

/** A configuration that was judged good. */
export interface GoodConfig {
  readonly environment: Environment;
  /** The merged document as `validate` returned it; what a schema does not declare stays as well. */
  readonly tree: PropertyTree;
  readonly version: string | undefined;
  /** What became of each section, checked. */
  readonly sections: ReadonlyMap<SectionDefinition, object>;
  /** The keys whose values were encrypted. */
  readonly secrets: ReadonlySet<string>;
}

/** So many keys are remembered as read; names may come from requests. */
const MOST_ASKED = 1_000;

/** What the name of a secret ends with, or has in it. */
const SECRET =
  /passw|passphrase|secret|token|credential|private|(?:api|access|signing|encrypt\w*)[-_.]?key$/i;

/**
 * The application's configuration: environment variables over the config server over local defaults, always the newest
 * good values.
 *
 * They are there before any other provider is made, and change while the application runs.
 *
 * @example
 * constructor(private readonly config: ConfigClient) {}
 * open() { return connect(this.config.getOrThrow<string>('db.url'), this.config.get('db.pool.max', 10)); }
 */
export class ConfigClient {
  /** Tells what changed, after everything that reads the configuration sees the new values. */
  readonly changes$: Observable<ConfigChange>;
  private readonly logger = new Logger('Config');
  private readonly changes = new Subject<ConfigChange>();
  private readonly listeners = new ConfigListeners();
  private readonly asked = new Set<string>();
  private readonly mirrors: (() => void)[] = [];
  private good: GoodConfig | undefined;
  private environment: Environment | undefined;
  private tree: PropertyTree = {};
  private adopted: PropertyTree = {};

  constructor(
    private readonly variables: EnvironmentVariables,
    private readonly events: EventHub,
    /** Where the configuration comes from, for messages. */
    private readonly source: string,
  ) {
    this.changes$ = this.changes.asObservable();
  }

  /**
   * The value of a key, such as `'db.pool.max'`, `'db.hosts[0]'` or the whole `'db'`; else the fallback.
   *
   * A key that no layer knows is asked of the environment variables (`DB_POOL_MAX`), as the fallback's kind of value.
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says the type, as with Nest's ConfigService
  get<T = unknown>(key: string): T | undefined;
  get<T>(key: string, fallback: T): T;
  get(key: string, fallback?: unknown): unknown {
    if (this.asked.size < MOST_ASKED) this.asked.add(key);
    const value = lookUp(this.tree, key);
    if (value !== undefined) return value;
    const variable = this.variables.find(key);
    return variable ? typedLike(variable.text, fallback) : fallback;
  }

  /** The value of a key; throws `MissingConfigError` when there is none. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says the type, as with Nest's ConfigService
  getOrThrow<T = unknown>(key: string): T {
    const value = this.get<T>(key);
    if (value === undefined) throw new MissingConfigError(key, this.source);
    return value;
  }

  /** Whether a key has a value. */
  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** The whole document of this moment. It is never changed: a later configuration is another object. */
  snapshot(): Readonly<PropertyTree> {
    return this.tree;
  }

  /** What the source calls the configuration in use, or `undefined` when it is local. */
  get version(): string | undefined {
    return this.good?.version;
  }

  /** Every layer that says something of a key, where it stands there, and who won. The values are shown as they are. */
  explain(key: string): Explanation {
    const said = this.environment?.explain(key) ?? { layers: [] };
    const { version } = this;
    return { key, value: this.get(key), ...said, ...(version === undefined ? {} : { version }) };
  }

  /**
   * Hears of the changes of `'db.url'` and what is below it, of what is below `'db.*'`, or of everything (`'*'`); returns
   * how to stop. A listener is touched only by changes of its own keys.
   */
  onChange(pattern: string, listener: ConfigListener): () => void {
    return this.listeners.add(pattern, listener);
  }

  /** Whether a key's value must not be shown: it came encrypted, or its name says so (`db.password`, `api.token`). */
  isSecret(key: string): boolean {
    return (this.good?.secrets.has(key) ?? false) || SECRET.test(key);
  }

  /** The whole document with `'******'` for every secret; for pages and dumps. */
  masked(): Readonly<PropertyTree> {
    const shown = [...flatten(this.tree)].map(
      ([key, value]) => [key, this.isSecret(key) ? '******' : value] as const,
    );
    return unflatten(shown);
  }

  /** @internal The keys that were read or listened to: who would feel a change of them. */
  get usedKeys(): readonly string[] {
    const sections = [...(this.good?.sections.keys() ?? [])];
    const below = sections.map(({ prefix }) => (prefix === '' ? '*' : `${prefix}.*`));
    return [...new Set([...this.asked, ...this.listeners.patterns, ...below])].filter(
      (key) => key !== '*' && key !== '',
    );
  }

  /** @internal The newest good values of a section. */
  section(definition: SectionDefinition): object {
    return this.good?.sections.get(definition) ?? {};
  }

  /** @internal Puts a good configuration in use, and tells what it changed; the first one changes nothing. */
  accept(good: GoodConfig): void {
    const first = this.good === undefined;
    this.good = good;
    const before = this.tree;
    this.rebuild();
    if (first) return;
    const keys = difference(before, this.tree);
    if (keys.length === 0) return;
    for (const copy of this.mirrors) copy();
    const change = { keys, version: good.version };
    this.events.emit('config.changed', change);
    for (const [listener, own] of this.listeners.concerned(change)) this.tell(listener, own);
    this.changes.next(change);
  }

  /** @internal Takes values that another module loaded, as local defaults. */
  adopt(defaults: PropertyTree): void {
    if (isDeepStrictEqual(defaults, this.adopted)) return;
    this.adopted = defaults;
    this.rebuild();
  }

  /** @internal Is called when values have changed, before anyone is told. */
  mirror(copy: () => void): void {
    this.mirrors.push(copy);
  }

  /** @internal No more changes come. */
  close(): void {
    this.changes.complete();
    this.listeners.clear();
  }

  /** A listener that fails harms neither the others nor the change. */
  private tell(listener: ConfigListener, change: ConfigChange): void {
    const failed = (error: unknown) =>
      this.logger.error(`A listener failed on a change of the configuration: ${messageOf(error)}`);
    try {
      Promise.resolve(listener(change)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  private rebuild(): void {
    if (!this.good) return;
    this.environment = this.good.environment.above(this.adopted);
    this.tree = mergeTrees(this.environment.tree, this.good.tree);
  }
}

/** The keys whose values differ between two documents. */
function difference(before: PropertyTree, after: PropertyTree): readonly string[] {
  const old = flatten(before);
  const keys: string[] = [];
  for (const [key, value] of flatten(after)) {
    if (!old.has(key) || !isDeepStrictEqual(old.get(key), value)) keys.push(key);
    old.delete(key);
  }
  return [...keys, ...old.keys()];
}
