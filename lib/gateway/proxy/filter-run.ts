import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { ExchangeError, type GatewayExchange } from '../filters/gateway-exchange.js';
import type { NextFilter } from '../filters/gateway-filter.js';
import { problemBody } from './problem-response.js';

/** The request would wait for ever. */
const FORGOTTEN =
  'A filter has ended without an answer. It calls next(exchange) or exchange.answer(…), or returns the promise that does.';

/** Whom the run of a route's filters concerns. */
export interface FilterRunner {
  /** Whether nothing has become of the request yet. */
  readonly undecided: boolean;
  onThrown(error: unknown): void;
}

/** Runs a route's filters; only those that wait for something cost a promise. */
export function runFilters(filters: NextFilter, face: GatewayExchange, runner: FilterRunner): void {
  const settled = () => {
    if (runner.undecided) runner.onThrown(new ExchangeError(FORGOTTEN));
  };
  try {
    const running = filters(face);
    if (running === undefined) settled();
    else running.then(settled, (error: unknown) => runner.onThrown(error));
  } catch (error) {
    runner.onThrown(error);
  }
}

/** What a client is told when a filter threw, and whether a person should know of it. */
export function problemOf(
  error: unknown,
  requestId: string,
): { readonly status: number; readonly body: string; readonly isFault: boolean } {
  const status = error instanceof HttpException ? error.getStatus() : 500;
  const isFault = status >= 500;
  const title = STATUS_CODES[status] ?? 'Error';
  const detail = !isFault && error instanceof HttpException ? error.message : title;
  const body = problemBody({ title, status, ...(detail !== title && { detail }), requestId });
  return { status, body, isFault };
}
