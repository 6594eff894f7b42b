import {
  type CheckState,
  ConsulCheckChanges,
  type ConsulCheckChangesOptions,
} from './consul-check-changes.js';
import { RateLimit } from './consul-rate-limit.js';
import { Slots } from './consul-slots.js';
import { Newest } from './newest.js';
import { SharedStream } from './shared-stream.js';

/** At most so many readings a second, from all streams together. */
const READINGS = { burst: 1_000, perSecond: 100 };

/** How many read at a time: what changed together is not asked for, and taken apart, in one go while requests wait. */
const READERS = 2;

/** How long a service is trusted to be as it was though the catalog has changed and none of its checks, in ms. */
const SWEEP = 60_000;

/** A moment to look at a service. */
export interface ConsulSign {
  /** Whether it must be read again; else only what its checks say has changed. */
  readonly again: boolean;
  readonly checks: CheckState;
}

/**
 * Tells the streams that have no waiting query of their own when to look again.
 *
 * They share what the checks of all services tell. Checks that fail, or fail no more, are told in full; a service is read again
 * when it has other checks than before, and at most once a minute when something else was registered, such as other metadata.
 */
export class ConsulOverflow {
  private readonly shared: SharedStream<CheckState>;
  private newest: CheckState | undefined;
  private readonly rate: RateLimit;
  private readonly readers = new Slots(READERS);
  /** One service in a turn of the event loop: a hundred that changed together would keep requests waiting. */
  private readonly turns = new Slots(1);

  constructor(private readonly options: ConsulCheckChangesOptions) {
    const changes = new ConsulCheckChanges(options);
    this.rate = new RateLimit(options.clock, READINGS);
    this.shared = new SharedStream((signal) => this.follow(changes, signal));
  }

  /** Yields whenever a service should be looked at, the first time at once; holds up others until it is asked again. */
  async *signs(service: string, signal: AbortSignal): AsyncGenerator<ConsulSign, void, undefined> {
    const { clock } = this.options;
    const changes = new Newest<void>();
    const ended = new AbortController();
    const end = () => ended.abort();
    signal.addEventListener('abort', end, { once: true });
    void this.listen(service, { changes, signal: ended.signal });
    try {
      // Between a reading and the first answer of the shared queries a change would be lost.
      await next(changes, signal);
      let seen = { print: '', index: 0, catalog: 0, due: clock.now() };
      while (!signal.aborted && this.newest) {
        const checks = this.newest;
        const print = checks.registered.print(service);
        const again =
          !checks.settled ||
          print !== seen.print ||
          // An index that went back is that of another history: the agent was started again, or restored.
          checks.index < seen.index ||
          (clock.now() >= seen.due && checks.catalog !== seen.catalog);
        const leave = await (again ? this.takeReader(signal) : this.takeTurn());
        try {
          if (signal.aborted) return;
          // Whoever looks comes back here when that is done.
          yield { again, checks };
        } finally {
          leave();
        }
        const catalog = again ? checks.catalog : seen.catalog;
        const due =
          again || clock.now() >= seen.due
            ? clock.now() + SWEEP * (0.8 + Math.random() * 0.4)
            : seen.due;
        seen = { print, index: checks.index, catalog, due };
        const sweep = clock.deadline(due - clock.now(), signal);
        await next(changes, sweep.signal);
        sweep.cancel();
      }
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  private async *follow(changes: ConsulCheckChanges, signal: AbortSignal) {
    for await (const state of changes.follow(signal)) {
      this.newest = state;
      yield state;
    }
  }

  private async takeReader(signal: AbortSignal): Promise<() => void> {
    await this.rate.take(signal);
    return this.readers.take();
  }

  private async takeTurn(): Promise<() => void> {
    const leave = await this.turns.take();
    return () => void setImmediate(leave);
  }

  private async listen(
    service: string,
    { changes, signal }: { readonly changes: Newest<void>; readonly signal: AbortSignal },
  ): Promise<void> {
    const part = ({ registered, failing }: CheckState) =>
      `${registered.print(service)} ${failing.since(service)}`;
    try {
      for await (const _ of this.shared.read(signal, part)) changes.push();
    } catch (error) {
      changes.fail(error);
    }
  }
}

/** Resolves with the next value, or when the signal aborts. */
async function next<T>(values: Newest<T>, signal: AbortSignal): Promise<void> {
  for await (const _ of values.read(signal)) return;
}
