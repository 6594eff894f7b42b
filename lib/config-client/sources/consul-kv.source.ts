import type { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import {
  group,
  oneOf,
  refuse,
  text,
  textOf as given,
  optional,
} from '../../common/option-readers.js';
import { ConfigAnswerError } from '../config-client.errors.js';
import {
  type ConfigRequest,
  type ConfigSnapshot,
  ConfigSource,
  type ConfigSourceFactory,
} from '../config-source.js';
import { type KvEntry, layersOfEntries, type KvFormat } from './consul-kv-layers.js';
import { HttpGetter } from './http-get.js';

/** Where the keys are, and how their values are written. */
export interface ConsulKvOptions {
  /** The agent. @default CONSUL_HTTP_ADDR, else 'http://127.0.0.1:8500' */
  readonly url?: string;
  /** Its access token. @default CONSUL_HTTP_TOKEN */
  readonly token?: string;
  /** The folder of all configuration. @default 'config' */
  readonly prefix?: string;
  /**
   * `keys`: each key is a property; `yaml`, `json`, `properties`: a document under the key `data`; `files`: keys such as
   * `orders-prod.yml`, as git2consul writes them. @default 'keys'
   */
  readonly format?: KvFormat;
  /** @default the agent's own */
  readonly datacenter?: string;
}

/** So long the agent holds a question, in ms. */
const HELD = 30_000;
/** How long an answer may take beyond that; the agent adds up to a sixteenth of the wait (its documentation), in ms. */
const PATIENCE = 5_000;
/** Questions follow each other no faster, in ms. */
const LEAST_GAP = 50;
/** A larger answer is refused. */
const MOST_BYTES = 32 * 1024 * 1024;

const read = group({
  url: optional(given()),
  token: optional(given()),
  prefix: text('config', { matches: /^[\w.-]+(?:\/[\w.-]+)*$/, remedy: "Write it like 'config'." }),
  format: oneOf(['keys', 'yaml', 'json', 'properties', 'files'], 'keys'),
  datacenter: optional(given()),
});

/** Configuration in Consul's key-value store; made by `consulKv`. */
class ConsulKvSource extends ConfigSource {
  override readonly name: string;
  private readonly base: URL;

  constructor(
    private readonly settings: ReturnType<typeof read>,
    private readonly clock: Clock,
  ) {
    super();
    this.base = agentOf(settings.url ?? process.env['CONSUL_HTTP_ADDR'] ?? 'http://127.0.0.1:8500');
    this.name = `consul-kv at ${this.base.host}`;
  }

  override async *watch(
    request: ConfigRequest,
    signal: AbortSignal,
  ): AsyncIterable<ConfigSnapshot> {
    const { format, prefix } = this.settings;
    const getter = new HttpGetter();
    try {
      let index = 0;
      let before: string | undefined;
      while (!signal.aborted) {
        const began = this.clock.now();
        const answer = await this.ask(getter, index, signal);
        index = nextIndex(index, answer.index);
        const sources = await layersOfEntries(answer.entries, { format, prefix }, request);
        const print = JSON.stringify(sources);
        // A key of another application wakes everyone; nothing has changed for us then.
        if (print !== before) yield { sources, version: String(answer.index) };
        before = print;
        const rest = LEAST_GAP - (this.clock.now() - began);
        if (rest > 0) await this.clock.sleep(rest, signal);
      }
    } finally {
      getter.close();
    }
  }

  /** One blocking query over the whole folder. See https://developer.hashicorp.com/consul/api-docs/features/blocking */
  private async ask(
    getter: HttpGetter,
    index: number,
    signal: AbortSignal,
  ): Promise<{ readonly index: number; readonly entries: readonly KvEntry[] }> {
    const { token = process.env['CONSUL_HTTP_TOKEN'] } = this.settings;
    const limit = this.clock.deadline((index > 0 ? (HELD * 17) / 16 : 0) + PATIENCE, signal);
    try {
      const { status, headers, body } = await getter.get({
        url: this.address(index),
        headers: token ? { 'x-consul-token': token } : {},
        signal: limit.signal,
        most: MOST_BYTES,
      });
      if (status !== 200 && status !== 404) {
        const hint = status === 403 ? ': give it a token that may read' : '';
        throw new ConfigAnswerError(this.name, `answered ${status}${hint}`);
      }
      const at = Number(headers['x-consul-index']);
      if (!Number.isSafeInteger(at) || at < 0) {
        throw new ConfigAnswerError(this.name, 'answered without X-Consul-Index');
      }
      // 404: nothing is below the folder, which is a configuration without values.
      return { index: at, entries: status === 404 ? [] : entriesOf(body, this.name) };
    } catch (error) {
      if (error instanceof ConfigAnswerError) throw error;
      const reason = limit.signal.aborted && !signal.aborted ? limit.signal.reason : error;
      throw new Error(`${this.name}: ${messageOf(reason)}`, { cause: error });
    } finally {
      limit.cancel();
    }
  }

  private address(index: number): URL {
    const { prefix, datacenter } = this.settings;
    const url = new URL(`v1/kv/${prefix}/`, this.base);
    url.searchParams.set('recurse', 'true');
    if (datacenter !== undefined) url.searchParams.set('dc', datacenter);
    if (index > 0) {
      url.searchParams.set('index', String(index));
      url.searchParams.set('wait', `${HELD / 1_000}s`);
    }
    return url;
  }
}

/**
 * Configuration in Consul's key-value store, heard of at once by blocking queries.
 *
 * Highest first: `config/orders,prod/`, `config/orders/`, `config/application,prod/`, `config/application/`, as Spring
 * Cloud Consul has them.
 *
 * @example
 * ConfigClientModule.forRoot({ name: 'orders', sources: [consulKv({ format: 'yaml' })] })
 */
export function consulKv(options: ConsulKvOptions = {}): ConfigSourceFactory {
  const settings = read(options, 'consulKv');
  return ({ clock }) => new ConsulKvSource(settings, clock);
}

function agentOf(address: string): URL {
  // CONSUL_HTTP_ADDR is often written without its scheme.
  const url = /^https?:\/\//.test(address) ? address : `http://${address}`;
  if (!URL.canParse(url)) {
    refuse('consulKv.url', 'is not an http address', "Write it like 'http://127.0.0.1:8500'.");
  }
  return new URL(url.endsWith('/') ? url : `${url}/`);
}

/** An index that goes back means that the agent began anew; then everything is asked again (Consul's documentation). */
function nextIndex(before: number, answered: number): number {
  return answered < before ? 0 : Math.max(1, answered);
}

function entriesOf(body: string, place: string): readonly KvEntry[] {
  let rows: unknown;
  try {
    rows = JSON.parse(body);
  } catch {
    throw new ConfigAnswerError(place, `answered ${body.length} characters that are not JSON`);
  }
  if (!Array.isArray(rows)) throw new ConfigAnswerError(place, 'answered no list of keys');
  return rows.flatMap((row: { Key?: unknown; Value?: unknown } | null) =>
    typeof row?.Key === 'string' && typeof row.Value === 'string'
      ? [{ key: row.Key, bytes: Buffer.from(row.Value, 'base64') }]
      : [],
  );
}
