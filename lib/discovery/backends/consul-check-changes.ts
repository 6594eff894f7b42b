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
   * Whether the catalog was the same before `registered` was read and after `failing`. Until it is, a check that fails no more may
   * be one that is no more, along with its instance.
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

/** After each MiB of failing checks come two seconds' rest: what is read makes garbage, and requests wait while it is collected. */
const FAILING_PER_SECOND = MEBIBYTE / 2;

/** The same for the list of all checks, which is read only when something was registered. */
const ALL_PER_SECOND = 4 * MEBIBYTE;

/** How long the answer to a list and to a question for an index may take, in ms, beside the wait. */
const LIST_TIMEOUT = 30_000;
const INDEX_TIMEOUT = 10_000;

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
      const catalog = await this.catalog(signal);
      index = next < index ? 0 : next;
      let bytes = 0;
      if (catalog !== read) {
        const checks = new RegisteredChecks();
        ({ bytes } = await this.read({}, (check) => checks.note(check), signal));
        if (signal.aborted) return;
        yield { checks, catalog };
        read = catalog;
      }
      if (!(await this.rest(bytes / ALL_PER_SECOND, catalog, signal))) index = 0;
    }
  }

  private async *failing(signal: AbortSignal): AsyncGenerator<Failing> {
    const memory = new CheckMemory(readFailingCheck);
    let known: Failing | undefined;
    for (let index = 0; !signal.aborted;) {
      const failing = new FailingChecks();
      const note = (check: CheckBytes) => failing.note(memory.read(check));
      memory.restart();
      const { next, bytes } = await this.read({ query: FAILING, after: index }, note, signal);
      if (signal.aborted) return;
      index = next < index ? 0 : next;
      if (!known || next !== known.index) {
        const catalog = await this.catalog(signal);
        if (signal.aborted) return;
        const isBack = known !== undefined && next < known.index;
        failing.seal(next, isBack ? undefined : known?.failing);
        const history = (known?.history ?? 0) + (isBack ? 1 : 0);
        yield (known = { failing, index: next, history, catalog });
      }
      const { catalog } = known;
      if (!(await this.rest(bytes / FAILING_PER_SECOND, catalog, signal))) index = 0;
    }
  }

  private async indexOf(reading: Reading, signal: AbortSignal): Promise<number> {
    const { readIndex } = this.options;
    const request = this.request(CATALOG, reading, INDEX_TIMEOUT, signal);
    return readIndex(await this.poolFor(reading).send(request));
  }

  /** The index of the catalog now. */
  private catalog(signal: AbortSignal): Promise<number> {
    return this.indexOf({ query: NO_NODE }, signal);
  }

  private async read(reading: Reading, onCheck: (check: CheckBytes) => void, signal: AbortSignal) {
    const { readIndex } = this.options;
    const scan = new CheckScan(onCheck);
    let next = 0;
    let bytes = 0;
    const request = this.request(CHECKS, reading, LIST_TIMEOUT, signal);
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

  private request(path: string, { query, after }: Reading, timeout: number, signal: AbortSignal) {
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
      timeout: longest + timeout,
      signal,
    };
  }

  /**
   * Lets some time pass without questions; then whether the index of the catalog is still one to go on from.
   *
   * An agent that was started anew meanwhile may have begun at 1, and would let us wait for an index that is far away.
   */
  private async rest(seconds: number, catalog: number, signal: AbortSignal): Promise<boolean> {
    await this.options.clock.sleep(Math.max(INTERVAL, seconds * 1_000), signal);
    return signal.aborted || (await this.catalog(signal)) >= catalog;
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
