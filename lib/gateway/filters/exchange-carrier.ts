import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestScope } from '../../common/request-context.js';
import type { Principal } from '../../security/principal.js';
import type { Route } from '../routes/route.js';
import type { Answer, Repetition } from './exchange-ears.js';

/** What carries an exchange: a proxied request, or the opening of a tunnel. */
export interface ExchangeCarrier {
  /** The client's request, as Node gives it; its body belongs to the gateway. */
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly scope: RequestScope;
  readonly route: Route;
  /** The path and query for the upstream. */
  target: string;
  /** The host that the client asked for. */
  readonly host: string;
  /** The host for the upstream; empty for the endpoint's own. */
  upstreamHost: string;
  /** The header lines for the upstream, each with its line end. */
  lines: string;
  /** Who sent it, once the door of its route has found out. */
  readonly principal: Principal | undefined;
  readonly clientAddress: string;
  readonly clientProto: 'http' | 'https';
  /** Whether the request, with its body, can be sent once more. */
  readonly repeatable: boolean;
  /** How often it was sent once more. */
  readonly repeats: number;
  /** The filters are done: it goes to the upstream. */
  proceed(): void;
  answer(answer: Answer): void;
  readBody(most: number): Promise<Buffer>;
  replaceBody(bytes: Buffer): void;
  readonly hasBody: boolean;
  /** The most bytes of the request's body; 0 is without limit. */
  bodyLimit: number;
  /** `host:port` of the endpoint that it was sent to; undefined before. */
  readonly endpointAuthority: string | undefined;
  again(how: Repetition): boolean;
}
