import type { ServerResponse } from 'node:http';
import type { NodeExchange } from './node-exchange.js';

const DRAINED = Symbol('rookery.drained');

type Draining = ServerResponse & { [DRAINED]?: NodeExchange };

/** Lets the exchange go on when its client takes bytes again. */
export function whenDrained(exchange: NodeExchange): void {
  const response: Draining = exchange.response;
  if (response[DRAINED] !== undefined) return;
  response[DRAINED] = exchange;
  response.on('drain', onDrain);
}

function onDrain(this: Draining): void {
  this[DRAINED]?.resume();
}
