import { IDENTITY_HEADER } from '../../security/identity/identity-token.js';
import { withoutLines } from '../door/header-lines.js';
import type { Exchange } from './exchange.js';
import type { ExchangeOwner } from './exchange-owner.js';
import type { NodeExchange } from './node-exchange.js';

const IDENTITY = new Set([IDENTITY_HEADER]);

/** Lets an exchange go on where another one was: what its upstream is told, and its place at the door of its route. */
export function takeOver(next: Exchange, before: Exchange): void {
  next.target = before.target;
  next.lines = before.lines;
  next.host = before.host;
  next.upstreamHost = before.upstreamHost;
  next.framing = before.framing;
  next.hasBody = before.hasBody;
  next.bodyLimit = before.bodyLimit;
  next.startedAt = before.startedAt;
  next.attempts = before.attempts;
  next.visit = before.visit;
  before.visit = undefined;
}

/** Lets it leave the door of the route that failed it, and asks that of the other, before it proceeds there. */
export function changeDoors(
  exchange: NodeExchange,
  owner: ExchangeOwner,
  proceed: () => void,
): void {
  exchange.visit?.left();
  exchange.visit = undefined;
  // What was told of its sender was for that one service only.
  exchange.lines = withoutLines(exchange.lines, IDENTITY);
  owner.admit(exchange, proceed);
}
