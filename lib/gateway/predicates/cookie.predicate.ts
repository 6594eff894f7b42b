import type { Args } from '../args.js';
import { definePredicate } from './route-predicate.js';
import { readValueTest, type ValueArgs } from './value-test.js';

/** Which cookie a request has. */
export interface CookieArgs extends ValueArgs {
  readonly name: string;
}

/** Requests with a cookie: `cookie({ name: 'cohort', value: 'b' })`. */
export const cookie = definePredicate({
  name: 'Cookie',
  read: (args: Args<CookieArgs>) => ({ name: args.text('name'), test: readValueTest(args) }),
  create:
    ({ name, test }) =>
    (request) =>
      test(request.cookies(name)),
});
