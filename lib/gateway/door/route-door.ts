import type { DoorStep, Verdict } from './door-step.js';
import { CorsStep } from './cors.step.js';
import type { Visit } from './visit.js';

/**
 * The door of a route: what a request must pass before any filter, in a fixed order, over HTTP and for WebSockets alike.
 *
 * Addresses, CORS, CSRF, limits by address, who it is, whether it may, limits by sender, the identity that goes on.
 */
export class RouteDoor {
  private readonly dressing: readonly DoorStep[];
  private readonly leaving: readonly DoorStep[];

  /** Whether preflights of browsers are answered here (CORS). */
  readonly answersPreflights: boolean;

  constructor(private readonly steps: readonly DoorStep[]) {
    this.answersPreflights = steps.some((step) => step instanceof CorsStep);
    this.dressing = steps.filter((step) => 'dress' in step);
    this.leaving = steps.filter((step) => 'left' in step);
  }

  /** The steps' names, in their order. */
  get names(): readonly string[] {
    return this.steps.map(({ name }) => name);
  }

  /** Asks the steps, one after the other; rejects when one fails by itself. */
  enter(visit: Visit): Verdict | Promise<Verdict> {
    return this.enterAt(0, visit);
  }

  /** Changes the head of an answer, whoever gives it. */
  dress(visit: Visit, rawHeaders: string[]): void {
    for (const step of this.dressing) step.dress?.(visit, rawHeaders);
  }

  /** The request is over, whether it was let in or not. */
  left(visit: Visit): void {
    for (const step of this.leaving) step.left?.(visit);
  }

  private enterAt(from: number, visit: Visit): Verdict | Promise<Verdict> {
    const { steps } = this;
    for (let at = from; at < steps.length; at++) {
      const verdict = (steps[at] as DoorStep).enter(visit);
      if (verdict instanceof Promise)
        return verdict.then((settled) => settled ?? this.enterAt(at + 1, visit));
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }
}
