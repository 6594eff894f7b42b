import type { Args } from '../args.js';
import { parseVersionRange } from './version-range.js';
import { definePredicate } from './route-predicate.js';

/** Which version of an interface a request asks for. */
export interface VersionArgs {
  /** `1`, `1.x`, `^1.2`, `1.1+`, `>=1.2 <3`. */
  readonly range: string;
  /** The header that names it. Not beside `query`. @default 'x-api-version' */
  readonly header?: string;
  /** The query parameter that names it. @default none */
  readonly query?: string;
  /** Whether requests that name none are meant too. @default false */
  readonly neutral?: boolean;
}

/** Requests for a range of versions: `version({ range: '1.x' })`. Which instances answer is the route's `subset`. */
export const version = definePredicate({
  name: 'Version',
  read: (args: Args<VersionArgs>) => {
    const test = parseVersionRange(args.text('range'));
    if (!test)
      args.refuse('range', 'is no range of versions', "Write it like '1.x' or '>=1.2 <3'.");
    const query = args.optionalText('query');
    const named = args.optionalText('header');
    if (query !== undefined && named !== undefined)
      args.refuse('query', "stands beside 'header'", 'Keep one.');
    return { test, query, header: named ?? 'x-api-version', neutral: args.flag('neutral', false) };
  },
  create:
    ({ test, query, header, neutral }) =>
    (request) => {
      const named = query === undefined ? request.headers(header) : request.parameters(query);
      return named.length === 0 ? neutral : named.some(test);
    },
});
