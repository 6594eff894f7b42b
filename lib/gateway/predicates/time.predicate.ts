import type { Args } from '../args.js';
import { definePredicate } from './route-predicate.js';

/** A moment in time. */
export interface MomentArgs {
  /** With its offset from UTC: `2027-01-01T00:00:00+01:00`. */
  readonly time: string;
}

/** A time with its end. */
export interface BetweenArgs {
  /** The first moment, with its offset from UTC. */
  readonly from: string;
  /** The first moment no more. */
  readonly to: string;
}

/** Requests from a moment on: `after({ time: '2027-01-01T00:00:00Z' })`. */
export const after = definePredicate({
  name: 'After',
  read: (args: Args<MomentArgs>) => ({ from: momentOf(args, 'time') }),
  create:
    ({ from }, { clock }) =>
    () =>
      clock.wallTime() >= from,
});

/** Requests before a moment: `before({ time: '2027-01-01T00:00:00Z' })`. */
export const before = definePredicate({
  name: 'Before',
  read: (args: Args<MomentArgs>) => ({ to: momentOf(args, 'time') }),
  create:
    ({ to }, { clock }) =>
    () =>
      clock.wallTime() < to,
});

/** Requests between two moments: `between({ from: '2027-01-01T00:00:00Z', to: '2027-01-02T00:00:00Z' })`. */
export const between = definePredicate({
  name: 'Between',
  read: (args: Args<BetweenArgs>) => {
    const [from, to] = [momentOf(args, 'from'), momentOf(args, 'to')];
    if (to <= from) args.refuse('to', "is not after 'from'", 'Change one of them.');
    return { from, to };
  },
  create:
    ({ from, to }, { clock }) =>
    () =>
      clock.wallTime() >= from && clock.wallTime() < to,
});

// Without an offset it would be another moment on another machine.
const MOMENT = {
  matches: /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/,
  remedy: "Write it like '2027-01-01T00:00:00Z', with its offset from UTC.",
};

function momentOf<A extends object>(args: Args<A>, key: Extract<keyof A, string>): number {
  const text = args.text(key, MOMENT);
  const moment = Date.parse(text);
  return Number.isNaN(moment)
    ? args.refuse(key, `is '${text}', no such time`, MOMENT.remedy)
    : moment;
}
