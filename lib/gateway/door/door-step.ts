import type { Refusal } from './refusal.js';
import type { Visit } from './visit.js';

/** What a step says: nothing when a request may go on. */
export type Verdict = Refusal | undefined;

/** One thing that a request must pass at the door of its route, before any filter; made once for each route. */
export abstract class DoorStep {
  /** What people know it by, in `explain`. */
  abstract readonly name: string;

  /** Lets a request pass, or refuses it; what can be said at once costs no promise. */
  abstract enter(visit: Visit): Verdict | Promise<Verdict>;

  /** Changes the head of the answer, alternating names and values. */
  dress?(visit: Visit, rawHeaders: string[]): void;

  /** The request that it let in is over. */
  left?(visit: Visit): void;
}
