import type { Args } from '../args.js';
import { defineFilter } from './gateway-filter.js';

/** Where a client is sent. */
export interface RedirectToArgs {
  /** A path or an absolute address; the upstream is not asked. */
  readonly url: string;
  /** 301, 302, 303, 307 or 308. @default 302 */
  readonly status?: number;
  /** Whether the query goes along. @default false */
  readonly query?: boolean;
}

const STATUSES = new Set([301, 302, 303, 307, 308]);

/** Sends the client elsewhere: `redirectTo({ url: 'https://shop.example.com/', status: 308 })`. */
export const redirectTo = defineFilter({
  name: 'RedirectTo',
  read: (args: Args<RedirectToArgs>) => {
    const status = args.integer('status', { default: 302 });
    if (!STATUSES.has(status))
      args.refuse('status', `is ${status}`, 'Make it 301, 302, 303, 307 or 308.');
    const url = args.text('url', {
      matches: /^(?:https?:\/\/[^/\s]|\/(?!\/))[!-~]*$/,
      remedy: "Write it like '/new' or 'https://example.com/'.",
    });
    return { status, url, query: args.flag('query', false) };
  },
  create:
    ({ status, url, query }) =>
    (exchange) => {
      const location = query ? url + exchange.query.toString() : url;
      exchange.answer({ status, headers: { location } });
    },
});
