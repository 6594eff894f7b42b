import type { Clock } from '../../common/clock.js';
import { CheckScan, type CheckIndex, type Fingerprints } from './consul-check-scan.js';
import type { ConsulHttp, ConsulReply } from './consul-http.js';
import { Newest } from './newest.js';

/** What is known of all checks. */
export interface CheckState {
  /** Which checks there are. */
  readonly registered: Fingerprints;
  /** Those that do not pass; the checks of nodes are under no name. */
  readonly failing: Fingerprints;
}

export interface ConsulCheckChangesOptions {
  readonly clock: Clock;
  /** The pool for queries that wait in the agent. */
  readonly parked: ConsulHttp;
  /** The pool for calls that are answered at once. */
  readonly calls: ConsulHttp;
  readonly wait: number;
  readonly query: Readonly<Record<string, string>>;
  /** Reads the index of an answer. */
  readonly readIndex: (reply: Pick<ConsulReply, 'header'>) => number;
}

/** The least time between two readings, in ms, and their longest share of the time. */
const INTERVAL = 500;
const SHARE = 1 / 20;

const ALL = { path: '/v1/health/state/any', index: 'CreateIndex' } as const;
const FAILING = {
  path: ALL.path,
  index: 'ModifyIndex',
  query: { filter: 'Status != "passing"' },
} as const;

interface Reading {
  readonly path: string;
  readonly index: CheckIndex;
  readonly query?: Readonly<Record<string, string>>;
  /** The index beyond which to wait; without one the answer comes at once. */
  readonly after?: number;
}

/**
 * Follows the checks of all services by two waiting queries.
 *
 * An answer with all checks has megabytes where there are thousands, so while checks come and go it asks for those that do not
 * pass. All of them are read only when an instance was registered or taken back, which is when the list of services wakes.
 */
export class ConsulCheckChanges {
  constructor(private readonly options: ConsulCheckChangesOptions) {}

  /** Yields what is known after each change; throws when the agent cannot be read. */
  async *follow(signal: AbortSignal): AsyncGenerator<CheckState, void, undefined> {
    const newest = new Newest<CheckState>();
    const known: { -readonly [part in keyof CheckState]?: CheckState[part] } = {};
    const gather = async (part: keyof CheckState, source: AsyncIterable<Fingerprints>) => {
      try {
        for await (const found of source) {
          known[part] = found;
          const { registered, failing } = known;
          if (registered && failing) newest.push({ registered, failing });
        }
      } catch (error) {
        newest.fail(error);
      }
    };
    void gather('registered', this.registered(signal));
    void gather('failing', this.failing(signal));
    yield* newest.read(signal);
  }

  private async *registered(signal: AbortSignal): AsyncGenerator<Fingerprints> {
    for (let index = 0; !signal.aborted;) {
      const next = await this.nextRegistration(index, signal);
      if (next !== index) {
        const { found, busy } = await this.read(ALL, signal);
        if (signal.aborted) return;
        yield found;
        await this.rest(busy, signal);
      }
      index = next < index ? 0 : next;
    }
  }

  private async *failing(signal: AbortSignal): AsyncGenerator<Fingerprints> {
    for (let index = 0; !signal.aborted;) {
      const { next, found, busy } = await this.read({ ...FAILING, after: index }, signal);
      if (signal.aborted) return;
      if (next !== index) yield found;
      index = next < index ? 0 : next;
      await this.rest(busy, signal);
    }
  }

  /** The index of the list of services, which moves with every registration and with no check. */
  private async nextRegistration(index: number, signal: AbortSignal): Promise<number> {
    const { parked, readIndex } = this.options;
    return readIndex(
      await parked.send({ ...this.waiting(index, signal), path: '/v1/catalog/services' }),
    );
  }

  private async read({ path, index, query, after }: Reading, signal: AbortSignal) {
    const { calls, clock, parked, readIndex } = this.options;
    const request = { ...this.waiting(after ?? 0, signal), path };
    const scan = new CheckScan(index);
    let next = 0;
    let busy = 0;
    const onHead = (reply: ConsulReply) => {
      next = readIndex(reply);
    };
    const pool = after === undefined ? calls : parked;
    const asked = { ...request, query: { ...request.query, ...query } };
    for await (const chunk of pool.chunks(asked, onHead)) {
      const from = clock.now();
      scan.read(chunk);
      busy += clock.now() - from;
    }
    return { next, found: scan.found(), busy };
  }

  private waiting(index: number, signal: AbortSignal) {
    const { wait, query } = this.options;
    return {
      method: 'GET' as const,
      query: { ...query, index: String(index), wait: `${wait}ms` },
      // The agent adds up to a sixteenth to the wait; whoever takes longer is dead.
      timeout: (wait * 17) / 16 + 10_000,
      signal,
    };
  }

  private rest(busy: number, signal: AbortSignal): Promise<void> {
    return this.options.clock.sleep(Math.max(INTERVAL, busy / SHARE), signal);
  }
}
