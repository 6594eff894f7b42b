import type { Clock } from '../../common/clock.js';
import { CheckMemory } from './consul-check-memory.js';
import { type CheckBytes, CheckScan } from './consul-check-scan.js';
import { FailingChecks, readFailingCheck, RegisteredChecks } from './consul-checks.js';
import type { ConsulHttp, ConsulReply } from './consul-http.js';
import { Newest } from './newest.js';

/** What is known of all checks. */
export interface CheckState {
  readonly registered: RegisteredChecks;
  readonly failing: FailingChecks;
  /** The index as of which those fail. */
  readonly index: number;
  /** How often the index went back, as after a restore: what was read before may be of another past. */
  readonly history: number;
  /** The index of the catalog as of which those are registered. */
  readonly catalog: number;
  /**
   * Whether nothing was registered or taken back that `registered` does not show yet. Until it does, a check that fails no
   * more may be one that is no more, along with its instance.
   */
  readonly settled: boolean;
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

/** The least time between two readings, in ms. */
const INTERVAL = 500;

const MEBIBYTE = 1_048_576;

/**
 * So many bytes a second are read of those that fail, and of all of them, while each answer is followed by the next.
 *
 * What is read makes garbage, if only as the pieces from the socket, and requests wait while that is collected.
 */
const FAILING_PER_SECOND = MEBIBYTE;
const ALL_PER_SECOND = 4 * MEBIBYTE;

const CHECKS = '/v1/health/state/any';
const FAILING = { filter: 'Status != "passing"' };
const CATALOG = '/v1/catalog/services';
/** Asks for the services of no node: the answer is an index and next to nothing. */
const NO_NODE = { 'node-meta': 'nest-rookery-none:none' };

interface Reading {
  readonly query?: Readonly<Record<string, string>>;
  /** The index beyond which to wait; without one the answer comes at once. */
  readonly after?: number;
}

/**
 * Follows the checks of all services by two waiting queries.
 *
 * An answer with all checks has megabytes where there are thousands, so while checks come and go it asks for those that do not
 * pass. All of them are read only when the catalog has changed, which is when something was registered or taken back.
 */
export class ConsulCheckChanges {
  constructor(private readonly options: ConsulCheckChangesOptions) {}

  /** Yields what is known after each change; throws when the agent cannot be read. */
  async *follow(signal: AbortSignal): AsyncGenerator<CheckState, void, undefined> {
    const newest = new Newest<CheckState>();
    let registered: Registered | undefined;
    let failing: Failing | undefined;
    const show = () => {
      if (!registered || !failing) return;
      const { catalog } = registered;
      const settled = failing.catalog === catalog;
      newest.push({ ...failing, registered: registered.checks, catalog, settled });
    };
    const gather = async <T>(source: AsyncIterable<T>, take: (found: T) => void) => {
      try {
        for await (const found of source) {
          take(found);
          show();
        }
      } catch (error) {
        newest.fail(error);
      }
    };
    void gather(this.registered(signal), (found) => (registered = found));
    void gather(this.failing(signal), (found) => (failing = found));
    yield* newest.read(signal);
  }

  private async *registered(signal: AbortSignal): AsyncGenerator<Registered> {
    let read = 0;
    for (let index = 0; !signal.aborted;) {
      const next = await this.indexOf({ after: index }, signal);
      // The list of services wakes for them alone; what else has changed in the catalog is seen when its wait is over.
      const catalog = await this.indexOf({ query: NO_NODE }, signal);
      if (catalog !== read) {
        const checks = new RegisteredChecks();
        const { bytes } = await this.read({}, (check) => checks.note(check), signal);
        if (signal.aborted) return;
        yield { checks, catalog };
        read = catalog;
        await this.rest(bytes / ALL_PER_SECOND, signal);
      }
      index = next < index ? 0 : next;
    }
  }

  private async *failing(signal: AbortSignal): AsyncGenerator<Failing> {
    const memory = new CheckMemory(readFailingCheck);
    let before: FailingChecks | undefined;
    let history = 0;
    for (let index = 0; !signal.aborted;) {
      const failing = new FailingChecks();
      const note = (check: CheckBytes) => failing.note(memory.read(check));
      memory.restart();
      const { next, bytes } = await this.read({ query: FAILING, after: index }, note, signal);
      if (signal.aborted) return;
      if (next !== index) {
        const catalog = await this.indexOf({ query: NO_NODE }, signal);
        if (signal.aborted) return;
        if (next < index) {
          before = undefined;
          history += 1;
        }
        failing.seal(next, before);
        before = failing;
        yield { failing, index: next, history, catalog };
      }
      index = next < index ? 0 : next;
      await this.rest(bytes / FAILING_PER_SECOND, signal);
    }
  }

  private async indexOf(reading: Reading, signal: AbortSignal): Promise<number> {
    const { readIndex } = this.options;
    return readIndex(await this.poolFor(reading).send(this.request(CATALOG, reading, signal)));
  }

  private async read(reading: Reading, onCheck: (check: CheckBytes) => void, signal: AbortSignal) {
    const { readIndex } = this.options;
    const scan = new CheckScan(onCheck);
    let next = 0;
    let bytes = 0;
    const request = this.request(CHECKS, reading, signal);
    const onHead = (reply: ConsulReply) => {
      next = readIndex(reply);
    };
    for await (const chunk of this.poolFor(reading).chunks(request, onHead)) {
      bytes += chunk.length;
      scan.read(chunk);
      // Pieces that lie ready would be read one after the other, and requests would wait for megabytes.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (!signal.aborted) scan.end();
    return { next, bytes };
  }

  private poolFor({ after }: Reading): ConsulHttp {
    return after === undefined ? this.options.calls : this.options.parked;
  }

  private request(path: string, { query, after }: Reading, signal: AbortSignal) {
    const { wait } = this.options;
    // The agent adds up to a sixteenth to the wait; whoever takes longer is dead.
    const [waiting, longest] =
      after === undefined
        ? [{}, 0]
        : [{ index: String(after), wait: `${wait}ms` }, (wait * 17) / 16];
    return {
      method: 'GET' as const,
      path,
      query: { ...this.options.query, ...query, ...waiting },
      timeout: longest + 10_000,
      signal,
    };
  }

  private rest(seconds: number, signal: AbortSignal): Promise<void> {
    return this.options.clock.sleep(Math.max(INTERVAL, seconds * 1_000), signal);
  }
}

interface Registered {
  readonly checks: RegisteredChecks;
  /** The index of the catalog before they were read. */
  readonly catalog: number;
}

interface Failing extends Pick<CheckState, 'failing' | 'index' | 'history'> {
  /** The index of the catalog after they were read. */
  readonly catalog: number;
}
