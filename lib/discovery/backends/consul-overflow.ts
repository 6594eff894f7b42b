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

/** When a service is read again first that has other checks than are known of it, in ms; then after twice that, and so on. */
const LAG = 500;

/** A service that has no waiting query of its own. */
export interface OverflowService<T> {
  /** Its name in Consul. */
  readonly service: string;
  readonly read: () => Promise<OverflowReading<T>>;
  /** What was read, with the statuses that its checks have come to since; the same object where those are the same. */
  readonly judge: (value: T, failing: FailingChecks) => T;
  /** Whether `judge` would show an instance in a better status. */
  readonly improves: (value: T, failing: FailingChecks) => boolean;
}

interface OverflowReading<T> {
  readonly value: T;
  /** The index of the answer. */
  readonly index: number;
  /** Which checks the answer shows, as `RegisteredChecks` tells it. */
  readonly print: string;
}

/**
 * Follows the services that have no waiting query of their own.
 *
 * They share what the checks of all services tell. Checks that fail, or fail no more, are told in full; a service is read again
 * when it has other checks than were read, when one fails no more while instances come and go, and at most once a minute when
 * something else was registered, such as other metadata.
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
    followed: OverflowService<T>,
    signal: AbortSignal,
  ): AsyncGenerator<T, void, undefined> {
    const { clock } = this.options;
    const ended = new AbortController();
    const end = () => ended.abort();
    signal.addEventListener('abort', end, { once: true });
    const follower = { service: followed.service, changes: new Newest<void>(), ahead: 0 };
    void this.listen(follower, ended.signal);
    let cancelLook: (() => void) | undefined;
    try {
      let held: Held<T> | undefined;
      let due = 0;
      let lag = LAG;
      // Between a reading and the first answer of the shared queries a change would be lost, so that comes first.
      for await (const _ of follower.changes.read(signal)) {
        cancelLook?.();
        if (!this.newest) continue;
        const { history, catalog } = this.newest;
        const isDue = clock.now() >= due;
        const again =
          !held || isOutdated(held, followed, this.newest) || (isDue && held.catalog !== catalog);
        if (again || isDue) due = clock.now() + SWEEP * (0.8 + Math.random() * 0.4);
        const leave = await (again ? this.takeReader(signal) : this.turns.take());
        try {
          if (signal.aborted) return;
          if (!held || again) held = { ...(await followed.read()), history, catalog };
          follower.ahead = held.index;
          held = judge(held, followed, this.newest);
        } finally {
          // Not before this one is worked off, but whether or not anyone asks for the next value.
          setImmediate(leave);
        }
        const outdated = isOutdated(held, followed, this.newest);
        cancelLook = clock.after(outdated ? lag : due - clock.now(), () => follower.changes.push());
        lag = outdated ? Math.min(lag * 2, SWEEP) : LAG;
        yield held.value;
      }
    } finally {
      cancelLook?.();
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
  /** The index of what was read: once the known checks have come as far, what they say of it must be looked at. */
  ahead: number;
}

/** What was read of a service, judged by the checks since, and what was known before it was read. */
interface Held<T> extends OverflowReading<T>, Pick<CheckState, 'history' | 'catalog'> {}

/** Whether a service must be read to know what it is. */
function isOutdated<T>(held: Held<T>, followed: OverflowService<T>, state: CheckState): boolean {
  return (
    held.print !== state.registered.print(followed.service) ||
    held.history !== state.history ||
    (held.index <= state.index && !isCertain(held, followed, state))
  );
}

/** A check that fails is a fact; one that fails no more may have gone along with its instance. */
function isCertain<T>({ value }: Held<T>, { improves }: OverflowService<T>, state: CheckState) {
  return state.settled || !improves(value, state.failing);
}

function judge<T>(held: Held<T>, followed: OverflowService<T>, state: CheckState): Held<T> {
  // What was read may be newer than what is known of the checks, until that has come as far.
  if (state.index < held.index || !isCertain(held, followed, state)) return held;
  const value = followed.judge(held.value, state.failing);
  return value === held.value ? held : { ...held, value };
}
