import type { Args } from '../args.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter } from './gateway-filter.js';
import { headerNames, headerRecord } from './header-args.js';

/** Which of the headers are other than usual. */
export interface SecureHeadersArgs {
  /** Headers with other values, or further ones. @default none */
  readonly set?: Readonly<Record<string, string>>;
  /** Those that are left out. @default none */
  readonly omit?: string | readonly string[];
}

/** What browsers are asked for, after OWASP's Secure Headers Project. */
const USUAL: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'self'; object-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
};

/** Asks browsers for caution, where the service has not said something of its own: `secureHeaders()`. */
export const secureHeaders = defineFilter({
  name: 'SecureHeaders',
  read: (args: Args<SecureHeadersArgs>) => {
    const set = args.read('set', (value, path) => headerRecord(value ?? {}, path));
    const omit = args.read('omit', (value, path) =>
      value === undefined ? [] : headerNames(value, path),
    );
    const left = new Set(omit.map((name) => name.toLowerCase()));
    const all = {
      ...USUAL,
      ...Object.fromEntries(set.map(([name, item]) => [name.toLowerCase(), item])),
    };
    return { headers: Object.entries(all).filter(([name]) => !left.has(name)) };
  },
  create: ({ headers }) => {
    const ear = ({ response }: GatewayExchange) => {
      for (const [name, value] of headers)
        if (!response?.headers.has(name)) response?.headers.add(name, value);
    };
    return (exchange, next) => {
      exchange.onResponse(ear);
      return next(exchange);
    };
  },
});
