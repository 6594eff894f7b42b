import type { Args } from '../args.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter } from './gateway-filter.js';

/** How `Location` is made public. */
export interface RewriteLocationArgs {
  /** What the upstream's paths begin with and the public ones do not. @default nothing */
  readonly strip?: string;
  /** What the public paths begin with and the upstream's do not, such as `/api`. @default nothing */
  readonly prefix?: string;
  /** Hosts that are the upstream's own, beside the endpoint that answered: `orders.internal:8080`. @default none */
  readonly hosts?: string | readonly string[];
}

/**
 * Makes the upstream's own addresses in `Location` public: `http://10.0.0.7:3000/orders/7` becomes `/api/orders/7`.
 * Addresses of others stay as they are.
 */
export const rewriteLocation = defineFilter({
  name: 'RewriteLocation',
  read: (args: Args<RewriteLocationArgs>) => ({
    strip: args.optionalText('strip', SLASH)?.replace(/\/$/, '') ?? '',
    prefix: args.optionalText('prefix', SLASH)?.replace(/\/$/, '') ?? '',
    hosts: new Set(args.texts('hosts').map((host) => host.toLowerCase())),
  }),
  create: ({ strip, prefix, hosts }) => {
    const ear = (exchange: GatewayExchange) => {
      const location = exchange.response?.headers.get('location');
      const path = location === undefined ? undefined : ownPath(location, exchange, hosts);
      if (path === undefined) return;
      const isBelow = strip !== '' && (path === strip || /^[/?#]/.test(path.slice(strip.length)));
      const rest = isBelow && path.startsWith(strip) ? path.slice(strip.length) : path;
      exchange.response?.headers.set('location', `${prefix}${rest}` || '/');
    };
    return (exchange, next) => {
      exchange.onResponse(ear);
      return next(exchange);
    };
  },
});

const SLASH = { matches: /^\//, remedy: "Begin it with '/'." };

/** The path of an address that is the upstream's own; undefined of others. */
function ownPath(
  location: string,
  exchange: GatewayExchange,
  hosts: ReadonlySet<string>,
): string | undefined {
  if (/^\/(?![/\\])/.test(location)) return location;
  const [, host = '', path = ''] = /^https?:\/\/([^/?#]+)(.*)$/i.exec(location) ?? [];
  const own = [exchange.endpoint, exchange.publicHost].includes(host.toLowerCase());
  if (host === '' || (!own && !hosts.has(host.toLowerCase()))) return undefined;
  return path.startsWith('/') ? path : `/${path}`;
}
