import type { IncomingMessage } from 'node:http';
import type { NodeExchange } from './node-exchange.js';

const PUMPED = Symbol('rookery.pumped');

/** The exchange stands on the request, so that the listeners need no closure. */
type Pumped = IncomingMessage & { [PUMPED]?: NodeExchange };

/** Lets a request's body flow into its exchange. */
export function pumpBody(exchange: NodeExchange): void {
  const request: Pumped = exchange.request;
  request[PUMPED] = exchange;
  request.on('data', onData);
  request.on('end', onEnd);
}

function onData(this: Pumped, chunk: Buffer): void {
  this[PUMPED]?.onRequestBytes(chunk);
}

function onEnd(this: Pumped): void {
  this[PUMPED]?.onRequestEnd();
}
