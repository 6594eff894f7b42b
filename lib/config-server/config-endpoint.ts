import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Grant } from './config-access.js';
import type { ConfigRoute } from './config-routes.js';

/** A request on its way to its answer. */
export interface ConfigCall<R extends ConfigRoute = ConfigRoute> {
  readonly route: R;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** What the caller may do. */
  readonly grant: Grant;
  /** The caller is gone. */
  readonly signal: AbortSignal;
}

/** An answer, whole. */
export interface ConfigReply {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** Answers requests of some kinds. */
export abstract class ConfigEndpoint {
  abstract readonly kinds: readonly ConfigRoute['kind'][];

  /** The answer; `undefined` when it was written already. A `RookeryError` becomes an answer of its status. */
  abstract answer(call: ConfigCall): Promise<ConfigReply | undefined>;
}

/** An answer in JSON. */
export function jsonReply(value: unknown, status = 200): ConfigReply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(value),
  };
}

/** An answer that no browser takes for a page. */
export function textReply(body: string | Buffer, type = 'text/plain;charset=UTF-8'): ConfigReply {
  return {
    status: 200,
    headers: {
      'content-type': type,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
    body,
  };
}
