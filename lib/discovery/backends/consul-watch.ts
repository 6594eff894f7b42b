import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../common/clock.js';
import { BackendRefusedError, BackendUnavailableError } from '../discovery.errors.js';
import { type ConsulHttp, type ConsulReply, notFromConsul } from './consul-http.js';
import { ConsulOverflow, type OverflowService } from './consul-overflow.js';
import { RateLimit } from './consul-rate-limit.js';

/** What is watched, and how its answers are read. */
export interface ConsulQuery<T> {
  /** From `/v1/` on. */
  readonly path: string;
  /** Reads the JSON of an answer; what it throws breaks the stream. */
  readonly read: (json: unknown) => T;
  /** Whose instances they are, where it is a service. */
  readonly health?: ConsulHealth<T>;
}

interface ConsulHealth<T> extends Omit<OverflowService<T>, 'read'> {
  /** Which checks the JSON of an answer shows. */
  readonly print: (json: unknown) => string;
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
  /** What every query asks for besides its own. */
  readonly query: Readonly<Record<string, string>>;
}

/** How long a call may take, in ms. */
export const CALL_TIMEOUT = 5_000;

/**
 * Streams by blocking queries: the agent answers when something has changed, or after the wait.
 *
 * An agent accepts only so many connections from one machine (200 by default), and one that waits is occupied until its
 * wait is over, even if nobody listens any more. So only a few queries wait; streams beyond that share one.
 */
export class ConsulWatch {
  private waiting = 0;
  private readonly overflow: ConsulOverflow;

  constructor(private readonly options: ConsulWatchOptions) {
    this.overflow = new ConsulOverflow({ ...options, readIndex });
  }

  /** Yields each value that differs from the one before; ends on abort, throws on everything else. */
  async *stream<T>(query: ConsulQuery<T>, signal: AbortSignal): AsyncGenerator<T> {
    let last: T | undefined;
    try {
      for await (const value of this.values(query, signal)) {
        if (isDeepStrictEqual(value, last)) continue;
        last = value;
        yield value;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  private values<T>(query: ConsulQuery<T>, signal: AbortSignal): AsyncGenerator<T> {
    const { health } = query;
    // Only instances have checks that tell of changes; the list of names always waits by itself.
    return !health || this.waiting < this.options.slots
      ? this.block(query, signal)
      : this.share(query, health, signal);
  }

  private async *block<T>(query: ConsulQuery<T>, signal: AbortSignal): AsyncGenerator<T> {
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
          // Queries that began together must not all come back together.
          query: { ...this.options.query, index: String(index), wait: `${jitter(wait)}ms` },
          // The agent adds up to a sixteenth to the wait; whoever takes longer is dead.
          timeout: (wait * 17) / 16 + 10_000,
          signal,
        });
        const next = readIndex(reply);
        await this.doubt(query, reply, signal);
        yield query.read(parse(reply.body));
        // An index that went back is that of another history: the agent was started again, or restored.
        index = next < index ? 0 : next;
      }
    } finally {
      this.waiting -= 1;
    }
  }

  private share<T>(
    query: ConsulQuery<T>,
    health: ConsulHealth<T>,
    signal: AbortSignal,
  ): AsyncGenerator<T> {
    const read = async () => {
      const reply = await this.read(query.path, signal);
      const index = readIndex(reply);
      await this.doubt(query, reply, signal);
      const json = parse(reply.body);
      return { value: query.read(json), index, print: health.print(json) };
    };
    return this.overflow.values({ ...health, read }, signal);
  }

  /** Consul answers 200 and an empty list to a token that may not see the nodes, or the service. */
  private async doubt<T>(
    query: ConsulQuery<T>,
    reply: ConsulReply,
    signal: AbortSignal,
  ): Promise<void> {
    if (!query.health || reply.body.trim() !== '[]') return;
    // Newer agents tell that they left something out; to an empty list they owe us the difference.
    if (reply.header('x-consul-results-filtered-by-acls') === 'true')
      throw filtered('the instances');
    // Every Consul has a node: who is shown none, may see none; but one that has just begun has none for a moment, so this is
    // no refusal to be patient with.
    const nodes = await this.read('/v1/catalog/nodes', signal);
    if (nodes.body.trim() === '[]')
      throw new BackendUnavailableError(filtered('the nodes').message);
  }

  private read(path: string, signal: AbortSignal): Promise<ConsulReply> {
    const { calls, query } = this.options;
    return calls.send({ method: 'GET', path, query, timeout: CALL_TIMEOUT, signal });
  }
}

/** The index of an answer; without one it does not come from Consul, whatever it looks like. */
function readIndex(reply: Pick<ConsulReply, 'header'>): number {
  const index = Number(reply.header('x-consul-index'));
  if (Number.isSafeInteger(index) && index > 0) return index;
  throw new BackendUnavailableError(
    'An answer carries no X-Consul-Index, so it is not from Consul. Is there a proxy between us and the agent?',
  );
}

function filtered(what: string): BackendRefusedError {
  return new BackendRefusedError(
    `Consul shows no instance at all, because the ACL token may not see ${what}. Its policy needs service_prefix "" read and node_prefix "" read; consul.token or CONSUL_HTTP_TOKEN says which token.`,
  );
}

function jitter(wait: number): number {
  return Math.round(wait * (0.9 + Math.random() * 0.1));
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw notFromConsul('is not JSON', error);
  }
}
