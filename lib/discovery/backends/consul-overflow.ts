import {
  ConsulCheckChanges,
  type ConsulCheckChangesOptions,
  type CheckState,
} from './consul-check-changes.js';
import { RateLimit } from './consul-rate-limit.js';
import { Slots } from './consul-slots.js';
import { Newest } from './newest.js';
import { SharedStream } from './shared-stream.js';

/** At most so many readings a second, from all streams together. */
const READINGS = { burst: 1_000, perSecond: 100 };

/** How many read at a time: what changed together is not asked for, and taken apart, in one go while requests wait. */
const READERS = 2;

/** How long a service is trusted to be as it was though no check of it changed, in ms. */
const SWEEP = 60_000;

/**
 * Tells the streams that have no waiting query of their own when to read again.
 *
 * They share what the checks of all services tell. A change that touches no check, as one of the metadata, is found by reading
 * each service once a minute.
 */
export class ConsulOverflow {
  private readonly shared: SharedStream<CheckState>;
  private readonly rate: RateLimit;
  private readonly readers = new Slots(READERS);

  constructor(private readonly options: ConsulCheckChangesOptions) {
    const changes = new ConsulCheckChanges(options);
    this.rate = new RateLimit(options.clock, READINGS);
    this.shared = new SharedStream((signal) => changes.follow(signal));
  }

  /** Yields whenever a service should be read, the first time at once; holds up others until it is asked again. */
  async *signs(service: string, signal: AbortSignal): AsyncGenerator<void, void, undefined> {
    const { clock } = this.options;
    const changes = new Newest<string>();
    const ended = new AbortController();
    const end = () => ended.abort();
    signal.addEventListener('abort', end, { once: true });
    void this.listen(service, { changes, signal: ended.signal });
    try {
      // Between a reading and the first answer of the shared queries a change would be lost.
      for await (const _ of changes.read(signal)) break;
      while (!signal.aborted) {
        await this.rate.take(signal);
        const leave = await this.readers.take();
        try {
          if (signal.aborted) return;
          // Whoever reads comes back here when the reading is done.
          yield;
        } finally {
          leave();
        }
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
    // A node that fails takes all its instances along, and which those are only a reading tells.
    const part = ({ registered, failing }: CheckState) =>
      `${registered.get(service)} ${failing.get(service)} ${failing.get('')}`;
    try {
      for await (const state of this.shared.read(signal, part)) changes.push(part(state));
    } catch (error) {
      changes.fail(error);
    }
  }
}
