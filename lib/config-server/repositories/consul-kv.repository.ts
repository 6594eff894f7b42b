import { type Clock, SystemClock } from '../../common/clock.js';
import { group, oneOf, optional, text, textOf } from '../../common/option-readers.js';
import type { PropertySource } from '../../common/properties/property-source.js';
import { readConsulAddress } from '../../discovery/backends/consul-address.js';
import { ConfigRepository, type RepositorySnapshot } from '../config-repository.js';
import { ConfigFileError } from '../config-server.errors.js';
import { ENDINGS, readConfigFile } from './config-file.js';
import { ConsulKvCalls, type KvSnapshot } from './consul-kv-calls.js';
import { layersOf } from './document-layers.js';
import { SharedStream } from './shared-stream.js';

/** How configuration is written into Consul. */
export interface ConsulKvRepositoryOptions {
  /** The agent. @default the variable CONSUL_HTTP_ADDR, else 'http://127.0.0.1:8500' */
  readonly url?: string;
  /** The token; its policy needs `key_prefix "config/" read`. @default the variable CONSUL_HTTP_TOKEN */
  readonly token?: string;
  /** The folder of all contexts. @default 'config' */
  readonly prefix?: string;
  /**
   * `KEY_VALUE`: `config/orders/db/url`; `YAML`, `JSON`, `PROPERTIES`: one document at `config/orders/data`; `FILES`:
   * `config/orders-prod.yml`. @default 'KEY_VALUE'
   */
  readonly format?: 'KEY_VALUE' | 'YAML' | 'JSON' | 'PROPERTIES' | 'FILES';
  /** The context that every application shares. @default 'application' */
  readonly defaultContext?: string;
  /** What stands between an application and a profile: `config/orders,prod/`. @default ',' */
  readonly profileSeparator?: string;
  /** The key of the document in the formats that have one. @default 'data' */
  readonly dataKey?: string;
  /** Time; a test gives its own. @default the machine's */
  readonly clock?: Clock;
}

const plain = {
  matches: /^[\w./-]*[\w-]$/,
  remedy: "Write it like 'config', without slashes around it.",
};

const readOptions = group({
  url: optional(textOf()),
  token: optional(textOf()),
  prefix: text('config', plain),
  format: oneOf(['KEY_VALUE', 'YAML', 'JSON', 'PROPERTIES', 'FILES'], 'KEY_VALUE'),
  defaultContext: text('application', plain),
  profileSeparator: text(','),
  dataKey: text('data', plain),
});

/** How long Consul holds a question, in seconds; and how long we wait beyond, in ms. */
const WAIT = 55;
const PATIENCE = 10_000;

const DOCUMENT = { YAML: '.yml', JSON: '.json', PROPERTIES: '.properties' } as const;

/**
 * Consul's key-value store, in the layouts of Spring Cloud Consul.
 *
 * Highest first: `{application},{profile}`, the last profile first, then `{application}`, then the same of the shared
 * context: here an application's name counts more than a profile. Labels are not known. One blocking query serves all.
 */
export class ConsulKvRepository extends ConfigRepository {
  private readonly settings: ReturnType<typeof readOptions>;
  private readonly clock: Clock;
  private readonly calls: ConsulKvCalls;
  private readonly stream: SharedStream<KvSnapshot>;

  constructor({ clock = new SystemClock(), ...options }: ConsulKvRepositoryOptions = {}) {
    super();
    this.settings = readOptions(options, 'consulKvRepository');
    this.clock = clock;
    this.calls = new ConsulKvCalls(readConsulAddress(this.settings, process.env));
    this.stream = new SharedStream((signal) => this.follow(signal));
  }

  override async *watch(
    application: string,
    profiles: readonly string[],
    _label: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<RepositorySnapshot> {
    const contexts = this.contexts(application, profiles);
    for await (const { entries } of this.stream.watch(signal)) {
      const layers = contexts.map((context) => this.layers(entries, context, new Set(profiles)));
      yield { sources: (await Promise.all(layers)).flat() };
    }
  }

  override async close(): Promise<void> {
    this.calls.close();
  }

  private async *follow(signal: AbortSignal): AsyncIterable<KvSnapshot> {
    let index: string | undefined;
    while (!signal.aborted) {
      const held = index === undefined ? 0 : WAIT * 1_000;
      // Consul adds up to a sixteenth to what it was asked to wait.
      const limit = this.clock.deadline(held * 1.1 + PATIENCE, signal);
      try {
        const prefix = `${this.settings.prefix}/`;
        const found = await this.calls.read({ prefix, index, wait: WAIT, signal: limit.signal });
        if (found.index !== index) yield found;
        // An index that goes back, or is none, begins again (Consul's documentation of blocking queries).
        const reset = Number(found.index) < Number(index ?? 0) || !(Number(found.index) > 0);
        index = reset ? undefined : found.index;
      } finally {
        limit.cancel();
      }
    }
  }

  /** The names of the contexts, highest first. */
  private contexts(application: string, profiles: readonly string[]): readonly string[] {
    const { defaultContext, profileSeparator, format } = this.settings;
    const separator = format === 'FILES' ? '-' : profileSeparator;
    const names = new Set([defaultContext, ...application.split(',')]);
    return [...names]
      .flatMap((name) =>
        [''].concat(profiles.map((profile) => `${separator}${profile}`)).map((end) => name + end),
      )
      .toReversed();
  }

  private async layers(
    entries: ReadonlyMap<string, Buffer>,
    context: string,
    active: ReadonlySet<string>,
  ): Promise<readonly PropertySource[]> {
    const { prefix, format, dataKey } = this.settings;
    const base = `${prefix}/${context}`;
    if (format === 'KEY_VALUE') return keyValues(entries, `${base}/`);
    const candidates =
      format === 'FILES'
        ? ENDINGS.map((ending) => ({ key: `${base}${ending}`, ending: '' }))
        : [{ key: `${base}/${dataKey}`, ending: DOCUMENT[format] }];
    const found = candidates.map(async ({ key, ending }) => {
      const bytes = entries.get(key);
      if (!bytes) return [];
      const file = `consul:${key}${ending}`;
      const documents = await readConfigFile(file, bytes);
      return layersOf({ file, name: `consul:${key}` }, documents, active);
    });
    return (await Promise.all(found)).flat();
  }
}

/**
 * Consul's key-value store.
 *
 * @example
 * ConfigServerModule.forRoot({ repository: consulKvRepository({ format: 'YAML' }) })
 */
export function consulKvRepository(options?: ConsulKvRepositoryOptions): ConsulKvRepository {
  return new ConsulKvRepository(options);
}

/** Every key below a folder is a property; a slash in it is a point. */
function keyValues(
  entries: ReadonlyMap<string, Buffer>,
  folder: string,
): readonly PropertySource[] {
  const source: Record<string, string> = Object.create(null) as Record<string, string>;
  const origins: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [path, value] of entries) {
    if (!path.startsWith(folder) || path.endsWith('/')) continue;
    const key = path.slice(folder.length).replaceAll('/', '.');
    source[key] = textAt(path, value);
    origins[key] = `consul:${path}`;
  }
  if (Object.keys(source).length === 0) return [];
  return [{ name: `consul:${folder}`, source: { ...source }, origins: { ...origins } }];
}

function textAt(path: string, value: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    throw new ConfigFileError(
      `consul:${path}`,
      undefined,
      'is not UTF-8. Write it in that encoding.',
    );
  }
}
