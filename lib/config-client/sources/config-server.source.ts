import type { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import { ConfigAnswerError, ConfigServerNotFoundError } from '../config-client.errors.js';
import type { ConfigServerLocator } from '../config-server-locator.js';
import {
  type ConfigRequest,
  type ConfigSnapshot,
  ConfigSource,
  type ConfigUsage,
} from '../config-source.js';
import { type ConfigAnswer, readConfigAnswer } from './config-answer.js';
import { hedged } from './hedged.js';
import { type HttpAnswer, HttpGetter } from './http-get.js';

/** Where the config server is, and how it is asked. */
export interface ConfigServerSettings {
  /** The servers, in the order they are tried; credentials in them are sent, never shown. */
  readonly urls: readonly URL[];
  /** The service that is looked up in the registry at each new start of the watch, when there are no addresses. */
  readonly service?: string;
  readonly locator?: ConfigServerLocator;
  readonly clock: Clock;
  /** How often a server is asked, and how long one that can holds a question, in ms. */
  readonly interval: number;
  /** Whether a server that can hold a question is asked to. */
  readonly push: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** How long an answer may take, in ms. */
const PATIENCE = 5_000;
/** How long it may take beyond the time it was held, in ms: there was time enough to prepare it. */
const HELD_PATIENCE = 2_000;
/** A question that is not answered for so long beyond that is asked once more beside it, in ms: the server may be well again. */
const HEDGE = 1_000;
/** A larger answer is refused. */
const MOST_BYTES = 8 * 1024 * 1024;
/** Nothing between us and the server that lets a question wait no longer is worth a held question, in ms. */
const SHORTEST_HOLD = 1_000;
/** Questions to a server that holds them follow each other no faster than this, in ms. */
const LEAST_GAP = 100;

const ACCEPT = 'application/vnd.spring-cloud.config-server.v2+json, application/json;q=0.9';

/** What is known from the last answer of a server. */
interface Known {
  readonly url: URL;
  readonly request: ConfigRequest;
  readonly etag?: string;
  readonly version?: string;
  readonly state?: string;
  /** How long the server offers to hold a question, in ms; 0 when it does not. */
  readonly holds: number;
}

/**
 * A config server: ours, or Spring's.
 *
 * Ours says with `X-Config-Wait` that it holds a question until something changes; then changes come at once. Any other
 * is asked every interval, with `If-None-Match` if it gave an ETag. Several servers are tried in order.
 */
export class ConfigServerSource extends ConfigSource {
  override readonly name: string;
  /** The address that answers, when it is a server of ours. */
  private ours: URL | undefined;

  constructor(private readonly options: ConfigServerSettings) {
    super();
    const { urls, service = 'config-server' } = options;
    this.name = urls.length > 0 ? urls.map(shown).join(', ') : `the service "${service}"`;
  }

  /** `PUT /config/usage`, of which only our server knows; any other is left alone. */
  override async report(
    { name, profiles, label }: ConfigRequest,
    usage: ConfigUsage,
    signal: AbortSignal,
  ): Promise<void> {
    if (!this.ours) return;
    const url = new URL(this.ours);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/config/usage`;
    const asked = { application: name, profiles, ...(label === undefined ? {} : { label }) };
    const limit = this.options.clock.deadline(PATIENCE, signal);
    const getter = new HttpGetter();
    try {
      await getter.get({
        url,
        headers: { 'content-type': 'application/json', ...this.options.headers },
        signal: limit.signal,
        most: MOST_BYTES,
        body: JSON.stringify({ ...asked, ...usage }),
      });
    } finally {
      limit.cancel();
      getter.close();
    }
  }

  override async *watch(
    request: ConfigRequest,
    signal: AbortSignal,
  ): AsyncIterable<ConfigSnapshot> {
    const { clock, interval } = this.options;
    const getter = new HttpGetter();
    try {
      let known = await this.first(getter, request, signal);
      this.ours = known.holds > 0 ? known.url : undefined;
      yield known.snapshot;
      let longest = interval;
      while (!signal.aborted) {
        const held = Math.min(this.wait(known), longest);
        if (held === 0) await clock.sleep(interval, signal);
        const began = clock.now();
        let whole = true;
        const question = { getter, signal, known };
        const answer = await this.ask({ ...question, held }).catch((error: unknown) => {
          longest = shorter(error, held, clock.now() - began);
          whole = false;
          // The server itself may be well; if it is not, this says so.
          return this.ask({ ...question, held: 0 });
        });
        if (answer) {
          known = answer;
          yield answer.snapshot;
        }
        const took = clock.now() - began;
        // A held question that comes back early without news was not held: then it is better to ask at intervals.
        if (!answer && whole && held > 0 && took < held / 2) known = { ...known, holds: 0 };
        if (held > 0) await clock.sleep(Math.max(0, LEAST_GAP - took), signal);
      }
    } finally {
      getter.close();
    }
  }

  /** The first answer of any server; throws with every server's reason when there is none. */
  private async first(
    getter: HttpGetter,
    request: ConfigRequest,
    signal: AbortSignal,
  ): Promise<Answered> {
    const reasons: string[] = [];
    const servers = await this.servers(signal);
    for (const url of servers) {
      // One that hangs must not keep the start from the next one.
      const patience = url === servers.at(-1) ? PATIENCE : PATIENCE / 5;
      for (const label of request.label?.split(',') ?? [undefined]) {
        try {
          const asked = label === undefined ? request : { ...request, label: label.trim() };
          const known: Known = { url, request: asked, holds: 0 };
          const answer = await this.ask({ getter, signal, known, held: 0, patience });
          if (answer) return answer;
        } catch (error) {
          signal.throwIfAborted();
          reasons.push(messageOf(error));
        }
      }
    }
    throw new Error(reasons.join('; '));
  }

  private async servers(signal: AbortSignal): Promise<readonly URL[]> {
    const { urls, locator, service = 'config-server' } = this.options;
    if (urls.length > 0 || !locator) return urls;
    const found = await locator.locate(service, signal);
    if (found.length === 0) throw new ConfigServerNotFoundError(service);
    return found;
  }

  private wait({ holds, etag }: Known): number {
    if (!this.options.push || etag === undefined) return 0;
    return Math.min(holds, this.options.interval);
  }

  /** The answer, or `undefined` when nothing has changed. */
  private async ask(question: Question): Promise<Answered | undefined> {
    const { getter, signal, known, held } = question;
    const { patience = held > 0 ? HELD_PATIENCE : PATIENCE } = question;
    const { clock } = this.options;
    const limit = clock.deadline(held + patience, signal);
    const url = address(known, held);
    const headers = this.headers(known);
    try {
      const once = (within: AbortSignal) =>
        getter.get({ url, headers, signal: within, most: MOST_BYTES });
      const answer = await hedged(once, { clock, after: held + HEDGE, signal: limit.signal });
      return understood(answer, known);
    } catch (error) {
      if (error instanceof ConfigAnswerError) throw error;
      const reason = limit.signal.aborted && !signal.aborted ? limit.signal.reason : error;
      throw new Error(`${shown(known.url)}: ${messageOf(reason)}`, { cause: error });
    } finally {
      limit.cancel();
    }
  }

  private headers({ etag, state }: Known): Record<string, string> {
    return {
      accept: ACCEPT,
      ...(etag === undefined ? {} : { 'if-none-match': etag }),
      ...(state === undefined ? {} : { 'x-config-state': state }),
      ...this.options.headers,
    };
  }
}

interface Question {
  readonly getter: HttpGetter;
  readonly signal: AbortSignal;
  readonly known: Known;
  /** How long the server is asked to hold the question, in ms. */
  readonly held: number;
  /** How long an answer may take beyond that, in ms. */
  readonly patience?: number;
}

interface Answered extends Known {
  readonly snapshot: ConfigAnswer;
}

/**
 * How long questions are held from now on, when something between us and the server, such as a gateway, held one no longer
 * than so long; throws the error when it was something else.
 */
function shorter(error: unknown, held: number, took: number): number {
  const isGateway = error instanceof ConfigAnswerError && [408, 504].includes(error.answered ?? 0);
  if (!isGateway || held === 0 || took < SHORTEST_HOLD || took >= held) throw error;
  return Math.max(SHORTEST_HOLD, took * 0.8);
}

function understood(answer: HttpAnswer, known: Known): Answered | undefined {
  if (answer.status === 304 && known.etag !== undefined) return undefined;
  const url = shown(known.url);
  if (answer.status !== 200)
    throw new ConfigAnswerError(url, `answered ${answer.status}${hint(answer)}`, answer.status);
  const snapshot = readConfigAnswer(answer.body, url);
  const { etag } = answer.headers;
  const offered = /^(\d{1,4})s$/.exec(String(answer.headers['x-config-wait'] ?? ''));
  return {
    url: known.url,
    request: known.request,
    snapshot,
    holds: offered ? Number(offered[1]) * 1_000 : 0,
    ...(etag === undefined ? {} : { etag }),
    ...(snapshot.version === undefined ? {} : { version: snapshot.version }),
    ...(snapshot.state === undefined ? {} : { state: snapshot.state }),
  };
}

/** What a person can do about a status; the server's own sentence may hold anything and is not repeated. */
function hint({ status }: HttpAnswer): string {
  if (status === 401 || status === 403) return ': give it the password it asks for, in CONFIG_URL';
  if (status === 404) return ': it does not know this application or label';
  if (status >= 300 && status < 400) return ': a redirect, which is not followed';
  return '';
}

/** `{base}/{name}/{profiles}[/{label}]`; a slash in a label travels as `(_)`. */
function address({ url, request, version }: Known, held: number): URL {
  const parts = [
    request.name,
    request.profiles.join(','),
    ...(request.label ? [request.label] : []),
  ];
  const target = new URL(url);
  const path = parts.map((part) => encodeURIComponent(part.replaceAll('/', '(_)'))).join('/');
  target.pathname = `${target.pathname.replace(/\/+$/, '')}/${path.replaceAll('%2C', ',')}`;
  if (held > 0) target.searchParams.set('wait', `${Math.floor(held / 1_000)}s`);
  if (held > 0 && version !== undefined) target.searchParams.set('version', version);
  return target;
}

/** An address without its credentials and query. */
function shown(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
}
