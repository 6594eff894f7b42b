import type { IncomingMessage } from 'node:http';

/** How much of a body that nobody wants is read, so that its sender comes to read the answer. */
const MOST_DISCARDED = 1 << 20;

const DISCARDED = Symbol('rookery.discarded');

type Discarding = IncomingMessage & { [DISCARDED]?: number };

/**
 * Reads what is left of a request's body and throws it away.
 *
 * A server that stops reading and closes may reset the connection before its answer is read (RFC 9112, 9.6); one that
 * reads on for ever can be kept busy. So it reads on for a while.
 */
export function discardBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed || request.listeners('data').includes(discard)) return;
  request.on('data', discard);
  request.resume();
}

function discard(this: Discarding, chunk: Buffer): void {
  this[DISCARDED] = (this[DISCARDED] ?? 0) + chunk.length;
  if (this[DISCARDED] > MOST_DISCARDED) this.socket.destroy();
}
