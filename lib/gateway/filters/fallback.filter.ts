import { integer, list } from '../../common/option-readers.js';
import type { Args } from '../args.js';
import type { ExchangeFailure } from './exchange-ears.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter } from './gateway-filter.js';
import { headerRecord } from './header-args.js';

/** What a client gets in place of a failure: a fixed answer, or another route's. */
export interface FallbackArgs {
  /** The id of another route, whose filters run then; only for requests without a body, or with one that was read. Not beside `body`. */
  readonly route?: string;
  /** A text, or anything else as JSON. @default empty */
  readonly body?: unknown;
  /** The status of the fixed answer. @default 200 */
  readonly status?: number;
  /** The headers of the fixed answer. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** The failures it stands for, the upstream's answers included. @default [502, 503, 504] */
  readonly on?: readonly number[];
}

/** Answers in place of a failing upstream: `fallback({ body: [] })`, `fallback({ route: 'catalog-cache' })`. */
export const fallback = defineFilter({
  name: 'Fallback',
  read: (args: Args<FallbackArgs>) => {
    const route = args.optionalText('route');
    if (route !== undefined && args.has('body'))
      args.refuse('route', "stands beside 'body'", 'Keep one.');
    const headers = args.read('headers', (value, path) => headerRecord(value ?? {}, path));
    return {
      route,
      on: new Set(args.read('on', statuses)),
      answer: {
        status: args.integer('status', { default: 200, min: 200, max: 599 }),
        headers: Object.fromEntries(headers),
        body: args.read('body', (value) => value),
      },
    };
  },
  create: ({ route, on, answer }) => {
    const take = (exchange: GatewayExchange): boolean => {
      if (route !== undefined) return exchange.again({ route });
      exchange.answer(answer);
      return true;
    };
    const onFailure = (exchange: GatewayExchange, { status }: ExchangeFailure) =>
      on.has(status) && take(exchange);
    const onResponse = (exchange: GatewayExchange) => {
      // What the gateway itself answers has been heard as a failure.
      if (exchange.fromUpstream && on.has(exchange.response?.status ?? 0)) take(exchange);
    };
    return (exchange, next) => {
      exchange.onFailure(onFailure);
      exchange.onResponse(onResponse);
      return next(exchange);
    };
  },
});

/** Reads statuses; those that a gateway gives for a failing upstream when nothing was written. */
function statuses(value: unknown, path: string): readonly number[] {
  return value === undefined
    ? [502, 503, 504]
    : list(integer(0, { min: 400, max: 599 }))(value, path);
}
