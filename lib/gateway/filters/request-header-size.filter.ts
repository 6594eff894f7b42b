import { HttpException } from '@nestjs/common';
import type { Args } from '../args.js';
import { defineFilter } from './gateway-filter.js';

/** How large a header may be. */
export interface RequestHeaderSizeArgs {
  /** The most bytes of one header line, name and value. @default 16384, 16 KiB */
  readonly max?: number;
  /** The most bytes of all. @default the gateway's `limits.head` */
  readonly total?: number;
}

/** Limits the headers of a route's requests; larger ones are answered 431: `requestHeaderSize({ max: 1_024 })`. */
export const requestHeaderSize = defineFilter({
  name: 'RequestHeaderSize',
  read: (args: Args<RequestHeaderSizeArgs>) => ({
    max: args.integer('max', { default: 16_384, min: 1 }),
    total: args.integer('total', { default: Number.MAX_SAFE_INTEGER, min: 1 }),
  }),
  create:
    ({ max, total }) =>
    (exchange, next) => {
      const { rawHeaders } = exchange.raw;
      let sum = 0;
      for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
        const size = (rawHeaders[at]?.length ?? 0) + (rawHeaders[at + 1]?.length ?? 0) + 4;
        sum += size;
        if (size > max || sum > total)
          throw new HttpException('Request Header Fields Too Large', 431);
      }
      return next(exchange);
    },
});
