import type { IncomingMessage, ServerResponse } from 'node:http';

const ASK = Symbol('rookery.ask');

type Awaiting = IncomingMessage & { [ASK]?: () => void };

/**
 * Lets a client that waits for a word before it sends its body (RFC 9110, 10.1.1) wait until someone begins to read it: a
 * request that is refused has cost no body then. An answer that comes first ends the connection, because the body may
 * follow, or may not.
 */
export function expectContinue(request: IncomingMessage, response: ServerResponse): void {
  const { shouldKeepAlive } = response;
  response.shouldKeepAlive = false;
  const ask = () => {
    if (response.headersSent || response.destroyed) return;
    response.shouldKeepAlive = shouldKeepAlive;
    response.writeContinue();
  };
  (request as Awaiting)[ASK] = ask;
  // The stream says so when it begins to flow.
  request.once('resume', ask);
}

/** Asks for the body at once, if the client waits for that. */
export function askForBody(request: IncomingMessage): void {
  const ask = (request as Awaiting)[ASK];
  if (ask === undefined) return;
  request.off('resume', ask);
  ask();
}
