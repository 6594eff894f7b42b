import type { Clock } from '../../common/clock.js';
import { BackendRefusedError, BackendUnavailableError } from '../discovery.errors.js';
import type { ConsulHttp, ConsulReply } from './consul-http.js';
import { RateLimit } from './consul-rate-limit.js';

/** What is watched, and how its answers are read. */
export interface ConsulQuery<T> {
  /** From `/v1/` on. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Reads the JSON of an answer; what it throws breaks the stream. */
  readonly read: (json: unknown) => T;
  /** Whether an empty answer that was filtered by ACLs is a token's fault rather than the truth. */
  readonly emptyWhenRefused: boolean;
}

export interface ConsulWatchOptions {
  readonly clock: Clock;
  /** The pool for queries that wait in the agent. */
  readonly parked: ConsulHttp;
  /** The pool for calls that are answered at once. */
  readonly calls: ConsulHttp;
  /** How long a query waits in the agent for a change, in ms. */
  readonly wait: number;
  /** How many queries of this process may wait in the agent at a time. */
  readonly slots: number;
}

/** How long a call may take, in ms. */
export const CALL_TIMEOUT = 5_000;

/** At most so many requests a second, from all streams together that found no slot. */
const POLLS_PER_SECOND = 50;
const POLL_EVERY = 2_000;

/**
 * Streams by blocking queries: the agent answers when something has changed, or after the wait.
 *
 * An agent accepts only so many connections from one machine (200 by default), and one that waits is occupied until its
 * wait is over, even if nobody listens any more. So only a few queries wait; streams beyond that poll.
 */
export class ConsulWatch {
  private waiting = 0;
  private polling = 0;

  constructor(private readonly options: ConsulWatchOptions) {}

  /** Yields each answer that differs from the one before; ends on abort, throws on everything else. */
  async *stream<T>(query: ConsulQuery<T>, signal: AbortSignal): AsyncGenerator<T> {
    let last: string | undefined;
    try {
      for await (const reply of this.replies(query, signal)) {
        const value = query.read(parse(reply.body));
        const content = JSON.stringify(value);
        if (content === last) continue;
        last = content;
        yield value;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  private replies<T>(query: ConsulQuery<T>, signal: AbortSignal): AsyncGenerator<ConsulReply> {
    return this.waiting < this.options.slots ? this.block(query, signal) : this.poll(query, signal);
  }

  private async *block<T>(query: ConsulQuery<T>, signal: AbortSignal): AsyncGenerator<ConsulReply> {
    const { clock, parked, wait } = this.options;
    // A service that changes all the time must not become a loop as fast as the network.
    const rate = new RateLimit(clock, { burst: 5, perSecond: 2 });
    let index = 0;
    this.waiting += 1;
    try {
      for (;;) {
        await rate.take(signal);
        if (signal.aborted) return;
        const reply = await parked.send({
          method: 'GET',
          path: query.path,
          query: { ...query.query, index: String(index), wait: `${wait}ms` },
          // The agent adds up to a sixteenth to the wait; whoever takes longer is dead.
          timeout: (wait * 17) / 16 + 10_000,
          signal,
        });
        const next = readIndex(reply);
        check(query, reply);
        yield reply;
        // An index that went back is that of another history: the agent was started again, or restored.
        index = next < index ? 0 : next;
      }
    } finally {
      this.waiting -= 1;
    }
  }

  private async *poll<T>(query: ConsulQuery<T>, signal: AbortSignal): AsyncGenerator<ConsulReply> {
    const { clock, calls } = this.options;
    this.polling += 1;
    try {
      while (!signal.aborted) {
        const reply = await calls.send({
          method: 'GET',
          path: query.path,
          query: query.query,
          timeout: CALL_TIMEOUT,
          signal,
        });
        readIndex(reply);
        check(query, reply);
        yield reply;
        const every = Math.max(POLL_EVERY, (this.polling / POLLS_PER_SECOND) * 1_000);
        await clock.sleep(every * (0.9 + Math.random() * 0.2), signal);
      }
    } finally {
      this.polling -= 1;
    }
  }
}

/** The index of an answer; without one it does not come from Consul, whatever it looks like. */
function readIndex(reply: ConsulReply): number {
  const index = Number(reply.header('x-consul-index'));
  if (Number.isSafeInteger(index) && index > 0) return index;
  throw new BackendUnavailableError(
    'An answer carries no X-Consul-Index, so it is not from Consul. Is there a proxy between us and the agent?',
  );
}

/** Newer agents tell that they left something out; to an empty list they owe us the difference. */
function check<T>(query: ConsulQuery<T>, reply: ConsulReply): void {
  if (!query.emptyWhenRefused || reply.header('x-consul-results-filtered-by-acls') !== 'true')
    return;
  if (reply.body.trim() !== '[]') return;
  throw new BackendRefusedError(
    'Consul left out every instance, because the token may not see them. Its policy needs service_prefix "" read and node_prefix "" read.',
  );
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new BackendUnavailableError(
      'An answer of Consul is not JSON. Is there a proxy between us and the agent?',
      error,
    );
  }
}
