import type { ServerResponse } from 'node:http';
import type { Exchange } from './exchange.js';

const DRAINED = Symbol('rookery.drained');

type Draining = ServerResponse & { [DRAINED]?: Exchange };

/** Lets the exchange go on when its client takes bytes again. */
export function whenDrained(exchange: Exchange): void {
  const response: Draining = exchange.response;
  if (response[DRAINED] !== undefined) return;
  response[DRAINED] = exchange;
  response.on('drain', onDrain);
}

function onDrain(this: Draining): void {
  this[DRAINED]?.resume();
}
