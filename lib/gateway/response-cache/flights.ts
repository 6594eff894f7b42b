import type { Clock } from '../../common/clock.js';

/**
 * What became of a request that others waited for: its answer is kept, it cannot be kept, or it came to nothing, so that
 * someone else may try.
 */
export type Landing = 'stored' | 'unstorable' | 'gone';

/** One request that is on its way for all who ask the same. */
export class Flight {
  private landing: Landing | undefined;
  private waiting: ((landing: Landing) => void)[] = [];

  constructor(private readonly onLanded: () => void) {}

  /** Tells all who wait; only the first time counts. */
  land(landing: Landing): void {
    if (this.landing !== undefined) return;
    this.landing = landing;
    this.onLanded();
    for (const tell of this.waiting) tell(landing);
    this.waiting = [];
  }

  /** Waits for the landing; `unstorable` after a while, so that nobody waits for ever. */
  wait(clock: Clock, patience: number): Promise<Landing> {
    return new Promise((resolve) => {
      const stop = clock.after(patience, () => resolve('unstorable'));
      this.waiting.push((landing) => {
        stop();
        resolve(landing);
      });
    });
  }
}

/** The requests that are on their way, so that the same is not asked for twice at a time. */
export class Flights {
  private readonly flights = new Map<string, Flight>();

  get(key: string): Flight | undefined {
    return this.flights.get(key);
  }

  start(key: string): Flight {
    const flight = new Flight(() => {
      if (this.flights.get(key) === flight) this.flights.delete(key);
    });
    this.flights.set(key, flight);
    return flight;
  }
}
