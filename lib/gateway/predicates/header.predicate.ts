import type { Args } from '../args.js';
import { definePredicate } from './route-predicate.js';
import { readValueTest, type ValueArgs } from './value-test.js';

/** Which header a request has. */
export interface HeaderArgs extends ValueArgs {
  readonly name: string;
}

/** Requests with a header: `header({ name: 'x-beta', value: '1' })`. */
export const header = definePredicate({
  name: 'Header',
  read: (args: Args<HeaderArgs>) => ({ name: args.text('name'), test: readValueTest(args) }),
  create:
    ({ name, test }) =>
    (request) =>
      test(request.headers(name)),
});
