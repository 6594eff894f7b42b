import type { Upstream } from '../../upstream/upstream.js';
import { isServiceName } from '../../common/service-identity.js';
import type { Args } from '../args.js';
import type { RouteTools } from '../definition.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter, type NextFilter } from './gateway-filter.js';
import { MirrorCall } from './mirror-call.js';

/** Where copies of requests go. */
export interface MirrorArgs {
  /** A service's name, or an origin such as `http://10.0.0.9:8080`. */
  readonly to: string;
  /** How many of 100 requests are copied. @default 100 */
  readonly share?: number;
  /** The most bytes of a body that is copied; requests with a larger one, or of unknown size, are not. @default 65536, 64 KiB */
  readonly body?: number;
  /** How many copies may be under way; further ones are left out. @default 100 */
  readonly pending?: number;
}

/** Sends copies of requests to another service and ignores what it says: `mirror({ to: 'orders-next', share: 10 })`. */
export const mirror = defineFilter({
  name: 'Mirror',
  read: (args: Args<MirrorArgs>) => ({
    to: args.text('to'),
    share: args.number('share', { default: 100, min: 0, max: 100 }) / 100,
    body: args.integer('body', { default: 65_536, min: 0 }),
    pending: args.integer('pending', { default: 100, min: 1 }),
  }),
  create: ({ to, share, body: most, pending }, tools) => {
    const upstream = upstreamOf(to, tools);
    const copies = { pending: 0 };
    const copy = (exchange: GatewayExchange, body: Buffer) => {
      copies.pending++;
      upstream.dispatch(new MirrorCall(exchange, body, () => copies.pending--));
    };
    const copyWhole = async (exchange: GatewayExchange, next: NextFilter) => {
      copy(exchange, await exchange.readBody(most));
      return next(exchange);
    };
    return (exchange, next) => {
      if (copies.pending >= pending || tools.random() >= share) return next(exchange);
      const length = exchange.hasBody ? Number(exchange.headers.get('content-length')) : 0;
      // Not a number where the size is unknown.
      if (!(length <= most)) return next(exchange);
      if (length === 0) {
        copy(exchange, Buffer.alloc(0));
        return next(exchange);
      }
      return copyWhole(exchange, next);
    };
  },
});

function upstreamOf(to: string, { upstreams }: RouteTools): Upstream {
  return isServiceName(to) ? upstreams.get(to) : upstreams.to(to);
}
