import type { Args } from '../args.js';
import { definePredicate, type RoutePredicate } from './route-predicate.js';

/** A route's part of the requests that several routes share. */
export interface WeightArgs {
  /** The name that the routes have in common. */
  readonly group: string;
  /** Its part beside the other routes' of the group; 0 is none. */
  readonly weight: number;
}

/** A predicate that is one of a group's; the table knows them all. */
export interface WeightedPredicate extends RoutePredicate {
  readonly share: WeightArgs;
}

/** Requests by draw: `weight({ group: 'search', weight: 5 })` beside a route of the same group with 95. */
export const weight = definePredicate({
  name: 'Weight',
  read: (args: Args<WeightArgs>) => ({
    group: args.text('group'),
    weight: args.number('weight', { min: 0 }),
  }),
  create: (share, { route, random }): WeightedPredicate =>
    Object.assign<RoutePredicate, { share: WeightArgs }>(
      (request) => request.drawn(share.group, random) === route.id,
      { share },
    ),
});

/** The share that a predicate stands for, if it is one of a group's. */
export function shareOf(predicate: RoutePredicate): WeightArgs | undefined {
  return (predicate as Partial<WeightedPredicate>).share;
}
