import {
  type CheckState,
  ConsulCheckChanges,
  type ConsulCheckChangesOptions,
} from './consul-check-changes.js';
import type { FailingChecks } from './consul-checks.js';
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

/** A service that has no waiting query of its own. */
export interface OverflowService<T> {
  /** Its name in Consul. */
  readonly service: string;
  /** Reads it; the index is that of the answer. */
  readonly read: () => Promise<{ readonly value: T; readonly index: number }>;
  /** What is known, with the statuses that its checks have come to since; the same object where those are the same. */
  readonly judge: (value: T, failing: FailingChecks) => T;
}

/**
 * Follows the services that have no waiting query of their own.
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

  /** Yields what a service is after each change; the next one is looked for when this is asked again. */
  async *values<T>(
    { service, read, judge }: OverflowService<T>,
    signal: AbortSignal,
  ): AsyncGenerator<T, void, undefined> {
    const { clock } = this.options;
    const ended = new AbortController();
    const end = () => ended.abort();
    signal.addEventListener('abort', end, { once: true });
    const follower = { service, changes: new Newest<void>(), ahead: 0 };
    void this.listen(follower, ended.signal);
    let cancelSweep: (() => void) | undefined;
    try {
      let held: { readonly value: T; readonly index: number } | undefined;
      let seen = { print: '', history: 0, catalog: 0, due: clock.now() };
      // Between a reading and the first answer of the shared queries a change would be lost, so that comes first.
      for await (const _ of follower.changes.read(signal)) {
        cancelSweep?.();
        if (!this.newest) continue;
        const { registered, history, catalog, settled } = this.newest;
        const print = registered.print(service);
        const isDue = clock.now() >= seen.due;
        const again =
          !settled ||
          print !== seen.print ||
          history !== seen.history ||
          (isDue && catalog !== seen.catalog);
        const leave = await (again ? this.takeReader(signal) : this.takeTurn());
        try {
          if (signal.aborted) return;
          if (again || !held) held = await read();
          const { newest } = this;
          // What was read may be newer than what is known of the checks, until that has come as far.
          if (newest.index < held.index) follower.ahead = held.index;
          else held = { ...held, value: judge(held.value, newest.failing) };
          yield held.value;
        } finally {
          leave();
        }
        seen = {
          print,
          history,
          catalog: again ? catalog : seen.catalog,
          due: again || isDue ? clock.now() + SWEEP * (0.8 + Math.random() * 0.4) : seen.due,
        };
        cancelSweep = clock.after(seen.due - clock.now(), () => follower.changes.push());
      }
    } finally {
      cancelSweep?.();
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

  private async listen(follower: Follower, signal: AbortSignal): Promise<void> {
    const { service, changes } = follower;
    const concerns = (before: CheckState, now: CheckState) =>
      now.registered.print(service) !== before.registered.print(service) ||
      now.failing.since(service) !== before.failing.since(service) ||
      now.history !== before.history ||
      (before.index < follower.ahead && follower.ahead <= now.index);
    try {
      for await (const _ of this.shared.read(signal, concerns)) changes.push();
    } catch (error) {
      changes.fail(error);
    }
  }
}

interface Follower {
  readonly service: string;
  readonly changes: Newest<void>;
  /** The index of a reading that was newer than what was known of the checks: what they come to since must be looked at. */
  ahead: number;
}
