import type { Clock } from '../../common/clock.js';
import { Newest } from './newest.js';
import type { ConsulHttp, ConsulReply } from './consul-http.js';
import { RateLimit } from './consul-rate-limit.js';
import { SharedStream } from './shared-stream.js';

export interface ConsulOverflowOptions {
  readonly clock: Clock;
  /** The pool for queries that wait in the agent. */
  readonly parked: ConsulHttp;
  readonly wait: number;
  readonly query: Readonly<Record<string, string>>;
  /** Reads the index of an answer. */
  readonly readIndex: (reply: Pick<ConsulReply, 'header'>) => number;
}

/** What the checks of each service looked like: how many there are, and the sum of their indexes. */
type Fingerprints = ReadonlyMap<string, string>;

/** At most so many readings a second, from all streams together. */
const READINGS = { burst: 300, perSecond: 200 };

/** How long a service is trusted to be as it was though no check of it changed, in ms. */
const SWEEP = 60_000;

/** The least time between two answers to the shared query, in ms, and its longest share of the time. */
const INTERVAL = 500;
const SHARE = 1 / 20;

/**
 * Tells the streams that have no waiting query of their own when to read again.
 *
 * One query waits for any check of any service (`/v1/health/state/any`). Its answers are large, so they are scanned as they come,
 * without making objects of them, and never more often than twice a second. A change that touches no check, as one of the
 * metadata, is found by reading each service once a minute.
 */
export class ConsulOverflow {
  private readonly shared: SharedStream<Fingerprints>;
  private readonly rate: RateLimit;

  constructor(private readonly options: ConsulOverflowOptions) {
    this.rate = new RateLimit(options.clock, READINGS);
    this.shared = new SharedStream((signal) => this.follow(signal));
  }

  /** Yields whenever a service should be read, the first time at once. */
  async *signs(service: string, signal: AbortSignal): AsyncGenerator<void, void, undefined> {
    const { clock } = this.options;
    const changes = new Newest<string>();
    const ended = new AbortController();
    const end = () => ended.abort();
    signal.addEventListener('abort', end, { once: true });
    void this.listen(service, { changes, signal: ended.signal });
    try {
      while (!signal.aborted) {
        await this.rate.take(signal);
        if (signal.aborted) return;
        yield;
        const sweep = clock.deadline(SWEEP * (0.8 + Math.random() * 0.4), signal);
        for await (const _ of changes.read(sweep.signal)) break;
        sweep.cancel();
      }
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  private async listen(
    service: string,
    { changes, signal }: { readonly changes: Newest<string>; readonly signal: AbortSignal },
  ): Promise<void> {
    let last: string | undefined;
    try {
      for await (const fingerprints of this.shared.read(signal)) {
        const now = fingerprints.get(service) ?? '';
        // What came before the first reading is in it, or the next answer tells.
        if (last !== undefined && now !== last) changes.push(now);
        last = now;
      }
    } catch (error) {
      changes.fail(error);
    }
  }

  private async *follow(signal: AbortSignal): AsyncGenerator<Fingerprints> {
    const { clock } = this.options;
    for (let index = 0; !signal.aborted;) {
      const { next, found, busy } = await this.ask(index, signal);
      if (signal.aborted) return;
      if (next !== index) yield found;
      index = next < index ? 0 : next;
      await clock.sleep(Math.max(INTERVAL, busy / SHARE), signal);
    }
  }

  private async ask(index: number, signal: AbortSignal) {
    const { clock, parked, wait, query } = this.options;
    const scan = new CheckScan();
    let next = 0;
    let busy = 0;
    const request = {
      method: 'GET' as const,
      path: '/v1/health/state/any',
      query: { ...query, index: String(index), wait: `${wait}ms` },
      timeout: (wait * 17) / 16 + 10_000,
      signal,
    };
    const onHead = (reply: ConsulReply) => {
      next = this.options.readIndex(reply);
    };
    for await (const chunk of parked.chunks(request, onHead)) {
      const from = clock.now();
      scan.read(chunk);
      busy += clock.now() - from;
    }
    return { next, found: scan.found(), busy };
  }
}

/** Reads the name and the index of every check out of a long text. In a string of JSON the quotes would be escaped. */
class CheckScan {
  private partial = '';
  private name = '';
  private readonly counts = new Map<string, { count: number; sum: number }>();

  read(chunk: string): void {
    const text = this.partial + chunk;
    const pattern = /"ServiceName":\s*"([^"\\]*)"|"ModifyIndex":\s*(\d+)[,}\s]/g;
    let end = 0;
    for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
      end = pattern.lastIndex;
      if (match[1] !== undefined) this.name = match[1];
      else this.note(Number(match[2]));
    }
    // What is cut in two is at most as long as a name and its key.
    this.partial = text.slice(Math.max(end, text.length - 200));
  }

  found(): Fingerprints {
    return new Map([...this.counts].map(([name, { count, sum }]) => [name, `${count}/${sum}`]));
  }

  private note(index: number): void {
    if (this.name === '') return;
    const known = this.counts.get(this.name);
    if (known) {
      known.count += 1;
      known.sum += index;
    } else this.counts.set(this.name, { count: 1, sum: index });
    this.name = '';
  }
}
