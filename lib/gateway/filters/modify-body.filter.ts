import type { Args } from '../args.js';
import type { BodyTransform } from './exchange-ears.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter, type GatewayFilter } from './gateway-filter.js';
import { plainBody } from './plain-body.js';

/** How bodies become others; only in code. */
export interface ModifyBodyArgs {
  /** Makes the body of the answer. */
  readonly transform: BodyTransform;
  /** The most bytes that are taken into memory; a larger body is answered 413 or 502. @default 1048576, 1 MiB */
  readonly max?: number;
}

/** Makes another body of the answer's: `modifyResponseBody({ transform: (body) => Buffer.from(body.toString().toUpperCase()) })`. */
export const modifyResponseBody = defineFilter({
  name: 'ModifyResponseBody',
  read: (args: Args<ModifyBodyArgs>) => readTransform(args),
  create: ({ transform, max }) => transformResponse(max, () => transform),
});

/** Makes another body of the request's, before anything of it is sent. */
export const modifyRequestBody = defineFilter({
  name: 'ModifyRequestBody',
  read: (args: Args<ModifyBodyArgs>) => readTransform(args),
  create:
    ({ transform, max }) =>
    async (exchange, next) => {
      if (exchange.hasBody)
        exchange.replaceBody(await transform(await exchange.readBody(max), exchange));
      return next(exchange);
    },
});

/** A filter that makes other bodies of answers; asked for each answer, which transform it shall be, if any. */
export function transformResponse(
  most: number,
  choose: (exchange: GatewayExchange) => BodyTransform | undefined,
): GatewayFilter {
  const ear = (exchange: GatewayExchange) => {
    const make = choose(exchange);
    if (make === undefined) return;
    exchange.transformBody(most, (body, each) => make(plainBody(body, each, most), each));
  };
  return (exchange, next) => {
    // A part of a body, or one for another decoder, cannot be read.
    exchange.headers.remove('range');
    exchange.headers.set('accept-encoding', 'identity');
    exchange.onResponse(ear);
    return next(exchange);
  };
}

function readTransform(args: Args<ModifyBodyArgs>) {
  return {
    transform: args.read('transform', (value) =>
      typeof value === 'function'
        ? (value as BodyTransform)
        : args.refuse('transform', 'is no function', 'Write it in code.'),
    ),
    max: args.integer('max', { default: 1 << 20, min: 1 }),
  };
}
