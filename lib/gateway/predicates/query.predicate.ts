import type { Args } from '../args.js';
import { definePredicate } from './route-predicate.js';
import { readValueTest, type ValueArgs } from './value-test.js';

/** Which query parameter a request has. */
export interface QueryArgs extends ValueArgs {
  readonly name: string;
}

/** Requests with a query parameter: `query({ name: 'preview', value: ['1', 'true'] })`; values are decoded. */
export const query = definePredicate({
  name: 'Query',
  read: (args: Args<QueryArgs>) => ({ name: args.text('name'), test: readValueTest(args) }),
  create:
    ({ name, test }) =>
    (request) =>
      test(request.parameters(name)),
});
