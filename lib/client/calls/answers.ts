import type { Clock } from '../../common/clock.js';
import { milliseconds } from '../../common/duration.js';
import type { RequestContext } from '../../common/request-context.js';
import type { UpstreamRequest } from '../../upstream/request/upstream-request.js';
import type { Upstreams } from '../../upstream/upstreams.js';
import type { ClientSettings } from '../client.options.js';
import { AnswerCache } from './answer-cache.js';
import { SharedCalls } from './shared-calls.js';
import { readWhole, type WholeAnswer } from './whole-answer.js';

/** A call whose answer is read to its end. */
export interface WholeCall {
  readonly service: string;
  readonly request: UpstreamRequest;
  /** Its own headers and those passed on from the request, not those that differ in every call. */
  readonly identity: UpstreamRequest['headers'];
  readonly limit: number;
  readonly coalesce: boolean;
  readonly cache: boolean;
}

/** Brings whole answers: from the cache, from an identical call under way, or from the service. */
export class Answers {
  private readonly shared: SharedCalls<WholeAnswer>;
  private readonly cache: AnswerCache | undefined;

  constructor(
    private readonly upstreams: Upstreams,
    private readonly context: RequestContext,
    clock: Clock,
    settings: ClientSettings,
  ) {
    this.shared = new SharedCalls(clock);
    if (settings.cache) this.cache = new AnswerCache(clock, settings.cache.bytes);
  }

  /** The answer to a call, whatever its status. */
  async answer(call: WholeCall): Promise<WholeAnswer> {
    const { method = 'GET', body } = call.request;
    if ((method !== 'GET' && method !== 'HEAD') || body !== undefined) return this.change(call);
    const ask = (conditions?: UpstreamRequest['headers']) => this.ask(call, conditions);
    const cached = this.cache !== undefined && call.cache && method === 'GET';
    if (!call.coalesce && !cached) return ask();
    const key = keyOf(call);
    const make = () =>
      cached && this.cache
        ? this.cache.answer(key, plain(call.request.headers), (conditions) => ask(conditions))
        : ask();
    if (!call.coalesce) return make();
    return this.shared.join(`${call.limit}\n${key}`, this.patience(call), make);
  }

  /** Something may have been written there: what was read of it before must not be given to anyone. */
  changed(service: string, path: string): void {
    this.shared.forget(service);
    this.cache?.forget(`${service}\n${path.split('?')[0]}\n`);
  }

  private async change(call: WholeCall): Promise<WholeAnswer> {
    try {
      return await this.ask(call);
    } finally {
      if (call.request.method !== 'OPTIONS') this.changed(call.service, call.request.path);
    }
  }

  private async ask(
    { service, request, limit }: WholeCall,
    conditions?: UpstreamRequest['headers'],
  ): Promise<WholeAnswer> {
    const asked = conditions
      ? { ...request, headers: { ...request.headers, ...conditions } }
      : request;
    const answer = await this.upstreams.get(service).request(asked);
    return readWhole(answer, limit);
  }

  private patience({ service, request: { signal, timeout } }: WholeCall) {
    const own = timeout === undefined ? undefined : milliseconds(timeout);
    const left = this.context.timeLeft;
    const limits = [own, left].filter((ms) => ms !== undefined);
    return { service, signal, timeout: limits.length === 0 ? undefined : Math.min(...limits) };
  }
}

/** What makes two reads the same; the path comes first, so that all of a path can be found. */
function keyOf({ service, request: { method, path }, identity }: WholeCall): string {
  const [pathname = '', query = ''] = path.split('?', 2);
  let key = `${service}\n${pathname}\n${query}\n${method}`;
  for (const name of Object.keys(identity ?? {}).toSorted()) {
    const value = identity?.[name];
    if (value !== undefined) key += `\n${name}: ${JSON.stringify(value)}`;
  }
  return key;
}

function plain(headers: UpstreamRequest['headers'] = {}): Record<string, string> {
  const entries = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
