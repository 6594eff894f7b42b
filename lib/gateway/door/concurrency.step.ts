import { DoorStep, type Verdict } from './door-step.js';
import type { Visit } from './visit.js';

const REFUSED = {
  status: 429,
  headers: ['retry-after', '1'],
  reason: 'its address has too many requests under way',
};

/** Lets only so many requests of one client be under way at a time, over all routes. */
export class ConcurrencyStep extends DoorStep {
  override readonly name = 'concurrency';

  constructor(private readonly visitors: ConcurrentVisits) {
    super();
  }

  override enter(visit: Visit): Verdict {
    return this.visitors.enter(visit) ? undefined : REFUSED;
  }

  override left(visit: Visit): void {
    this.visitors.leave(visit);
  }
}

/** Who is inside; a client that has nothing under way is not remembered. */
export class ConcurrentVisits {
  private readonly counts = new Map<string, number>();
  private readonly inside = new WeakSet<Visit>();

  constructor(
    private readonly most: number,
    private readonly keyOf: (visit: Visit) => string,
  ) {}

  enter(visit: Visit): boolean {
    const key = this.keyOf(visit);
    const count = this.counts.get(key) ?? 0;
    if (count >= this.most) return false;
    this.counts.set(key, count + 1);
    this.inside.add(visit);
    return true;
  }

  leave(visit: Visit): void {
    // It may have been refused before it came in.
    if (!this.inside.delete(visit)) return;
    const key = this.keyOf(visit);
    const count = this.counts.get(key) ?? 0;
    if (count > 1) this.counts.set(key, count - 1);
    else this.counts.delete(key);
  }
}
