import type { IncomingMessage } from 'node:http';
import type { Exchange } from './exchange.js';

const PUMPED = Symbol('rookery.pumped');

/** The exchange stands on the request, so that the listeners need no closure. */
type Pumped = IncomingMessage & { [PUMPED]?: Exchange };

const LAST_CHUNK = Buffer.from('0\r\n\r\n', 'latin1');

/** Lets a request's body flow into its exchange, framed as it came. */
export function pumpBody(exchange: Exchange): void {
  const request: Pumped = exchange.request;
  request[PUMPED] = exchange;
  exchange.deadlines.upload.await();
  request.on('data', onData);
  request.on('end', onEnd);
}

function onData(this: Pumped, chunk: Buffer): void {
  const exchange = this[PUMPED];
  if (exchange === undefined || exchange.done) return;
  exchange.bodyBytes += chunk.length;
  if (exchange.bodyLimit > 0 && exchange.bodyBytes > exchange.bodyLimit)
    return exchange.refuse(413);
  const bytes = exchange.framing === 'chunked' ? framed(chunk) : chunk;
  if (exchange.send(bytes)) exchange.deadlines.upload.onBytes();
  else exchange.deadlines.upload.pause();
}

function onEnd(this: Pumped): void {
  const exchange = this[PUMPED];
  if (exchange === undefined || exchange.done) return;
  exchange.deadlines.upload.clear();
  if (exchange.framing === 'chunked') exchange.send(LAST_CHUNK);
  exchange.sent();
}

/** One chunk, its frame around it, so that it goes out in one write. */
function framed(chunk: Buffer): Buffer {
  const size = `${chunk.length.toString(16)}\r\n`;
  const bytes = Buffer.allocUnsafe(size.length + chunk.length + 2);
  bytes.write(size, 0, 'latin1');
  chunk.copy(bytes, size.length);
  bytes.write('\r\n', size.length + chunk.length, 'latin1');
  return bytes;
}
