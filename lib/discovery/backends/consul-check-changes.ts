import type { Clock } from '../../common/clock.js';
import { type CheckBytes, CheckScan } from './consul-check-scan.js';
import { FailingChecks, RegisteredChecks } from './consul-checks.js';
import type { ConsulHttp, ConsulReply } from './consul-http.js';
import { Newest } from './newest.js';

/** What is known of all checks. */
export interface CheckState {
  readonly registered: RegisteredChecks;
  readonly failing: FailingChecks;
  /** The index as of which those fail. */
  readonly index: number;
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

/** The least time between two readings, in ms, and their longest share of the time. */
const INTERVAL = 500;
const SHARE = 1 / 20;

const CHECKS = '/v1/health/state/any';
const FAILING = { filter: 'Status != "passing"' };
const SERVICES = '/v1/catalog/services';
/** Answers with the index of the list alone; agents that cannot filter it answer with the list. */
const NO_SERVICE = { filter: 'ServiceName == "-"' };

interface Reading {
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
    let registered: Registered | undefined;
    let failing: Failing | undefined;
    const show = () => {
      if (!registered || !failing) return;
      const { checks, index, services } = failing;
      newest.push({
        registered: registered.checks,
        failing: checks,
        index,
        settled: services === registered.services,
      });
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
    for (let index = 0; !signal.aborted;) {
      const next = await this.services({ after: index }, signal);
      if (next !== index) {
        const checks = new RegisteredChecks();
        const { busy } = await this.read({}, (check) => checks.note(check), signal);
        if (signal.aborted) return;
        yield { checks, services: next };
        await this.rest(busy, signal);
      }
      index = next < index ? 0 : next;
    }
  }

  private async *failing(signal: AbortSignal): AsyncGenerator<Failing> {
    for (let index = 0; !signal.aborted;) {
      const checks = new FailingChecks();
      const reading = { query: FAILING, after: index };
      const { next, busy } = await this.read(reading, (check) => checks.note(check), signal);
      if (signal.aborted) return;
      if (next !== index) {
        const services = await this.services({ query: NO_SERVICE }, signal);
        if (signal.aborted) return;
        yield { checks, index: next, services };
      }
      index = next < index ? 0 : next;
      await this.rest(busy, signal);
    }
  }

  /** The index of the list of services, which moves with every registration and with no check. */
  private async services(reading: Reading, signal: AbortSignal): Promise<number> {
    const { readIndex } = this.options;
    return readIndex(await this.poolFor(reading).send(this.request(SERVICES, reading, signal)));
  }

  private async read(reading: Reading, onCheck: (check: CheckBytes) => void, signal: AbortSignal) {
    const { clock, readIndex } = this.options;
    const scan = new CheckScan(onCheck);
    let next = 0;
    let busy = 0;
    const request = this.request(CHECKS, reading, signal);
    const onHead = (reply: ConsulReply) => {
      next = readIndex(reply);
    };
    for await (const chunk of this.poolFor(reading).chunks(request, onHead)) {
      const from = clock.now();
      scan.read(chunk);
      busy += clock.now() - from;
    }
    if (!signal.aborted) scan.end();
    return { next, busy };
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

  private rest(busy: number, signal: AbortSignal): Promise<void> {
    return this.options.clock.sleep(Math.max(INTERVAL, busy / SHARE), signal);
  }
}

interface Registered {
  readonly checks: RegisteredChecks;
  /** The index of the list of services before they were read. */
  readonly services: number;
}

interface Failing {
  readonly checks: FailingChecks;
  readonly index: number;
  /** The index of the list of services after they were read. */
  readonly services: number;
}
