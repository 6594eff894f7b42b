import { integer, list, textOf } from '../../common/option-readers.js';
import type { Duration } from '../../common/duration.js';
import type { Args } from '../args.js';
import type { ExchangeFailure } from './exchange-ears.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter, type NextFilter } from './gateway-filter.js';

/** When and how often a request is sent again. */
export interface RetryArgs {
  /** How often at most, beside the first time. @default 2 */
  readonly attempts?: number;
  /** The failures after which it is, the upstream's answers included. @default [502, 503, 504] */
  readonly on?: readonly number[];
  /** The methods that may be sent twice. @default GET, HEAD and OPTIONS */
  readonly methods?: readonly string[];
  /** The most bytes of a body that is kept in memory to be sent again; 0 leaves requests with a body alone. @default 0 */
  readonly body?: number;
  /** How long to wait before the second time; each further time waits twice as long, up to 10 s. @default 0 */
  readonly delay?: Duration;
  /** How many of 100 requests may be sent again, so that a failing service is not buried; ten in a row always may. @default 20 */
  readonly budget?: number;
}

const LONGEST_DELAY = 10_000;
/** How many may be sent again before anything succeeded, so that a seldom used route has a chance. */
const RESERVE = 10;

/** Sends a request again that failed harmlessly: `retry({ attempts: 3, delay: '50ms' })`. */
export const retry = defineFilter({
  name: 'Retry',
  read: (args: Args<RetryArgs>) => ({
    attempts: args.integer('attempts', { default: 2, min: 1, max: 9 }),
    on: new Set(
      args.read('on', (value, path) =>
        list(integer(0, { min: 400, max: 599 }))(value ?? [502, 503, 504], path),
      ),
    ),
    methods: new Set(
      args.read('methods', (value, path) =>
        list(textOf())(value ?? ['GET', 'HEAD', 'OPTIONS'], path),
      ),
    ),
    body: args.integer('body', { default: 0, min: 0 }),
    delay: args.duration('delay', 0),
    budget: args.number('budget', { default: 20, min: 0, max: 100 }) / 100,
  }),
  create: ({ attempts, on, methods, body, delay, budget }) => {
    const tokens = { left: RESERVE };
    const again = (exchange: GatewayExchange): boolean => {
      const { repeats } = exchange;
      if (repeats >= attempts || tokens.left < 1) return false;
      const wait = Math.min(delay * 2 ** repeats, LONGEST_DELAY);
      if (!exchange.again({ delay: wait })) return false;
      tokens.left--;
      return true;
    };
    const onFailure = (exchange: GatewayExchange, { status }: ExchangeFailure) =>
      on.has(status) && again(exchange);
    const onResponse = (exchange: GatewayExchange) => {
      if (exchange.fromUpstream && on.has(exchange.response?.status ?? 0)) again(exchange);
    };
    const readFirst = async (exchange: GatewayExchange, next: NextFilter) => {
      await exchange.readBody(body);
      return next(exchange);
    };
    return (exchange, next) => {
      if (!methods.has(exchange.method)) return next(exchange);
      tokens.left = Math.min(tokens.left + budget, RESERVE);
      exchange.onFailure(onFailure);
      exchange.onResponse(onResponse);
      if (body === 0 || !exchange.hasBody) return next(exchange);
      return readFirst(exchange, next);
    };
  },
});
