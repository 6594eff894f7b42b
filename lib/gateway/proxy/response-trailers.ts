import type { IncomingMessage, ServerResponse } from 'node:http';
import { headerOf, wantsTrailers } from './headers.js';

/** Passes on an answer's trailers to a client that said it reads them (RFC 9110, 6.5.1); Node leaves them out where nothing is chunked. */
export function sendTrailers(
  request: IncomingMessage,
  response: ServerResponse,
  trailers: readonly string[],
): void {
  if (response.destroyed || !wantsTrailers(headerOf(request.rawHeaders, 'te'))) return;
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < trailers.length; at += 2) {
    pairs.push([trailers[at] as string, trailers[at + 1] as string]);
  }
  response.addTrailers(pairs);
}
