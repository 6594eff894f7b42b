import { Injectable } from '@nestjs/common';
import { RequestContext } from '../../common/request-context.js';
import { formatTraceparent } from '../../common/trace-context.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import type { Exchange } from './exchange.js';
import { CLIENT_GONE } from './problem-response.js';

/** What is said of a failure that has no better name (semantic conventions, `error.type`). */
const OTHER = '_OTHER';

/** Makes each try of a recorded request a step of its trace, so that one sees who was asked, and who answered. */
@Injectable()
export class TraceSteps {
  constructor(private readonly context: RequestContext) {}

  /** The exchange goes to an endpoint; gives the lines that name this step as the caller. */
  begin(exchange: Exchange, endpoint: Endpoint): string {
    // What is tried again has failed before.
    exchange.step?.end({ error: OTHER });
    const { scope, method, attempts, lines } = exchange;
    const { service, id, host, port } = endpoint.instance;
    const step = this.context.step(scope, {
      name: method,
      attributes: {
        'http.request.method': method,
        'server.address': host,
        'server.port': port,
        'rookery.upstream': service,
        'rookery.upstream.instance': id,
        ...(attempts > 1 && { 'http.request.resend_count': attempts - 1 }),
      },
    });
    exchange.step = step;
    if (step === undefined) return lines;
    return lines.replace(formatTraceparent(scope.trace), formatTraceparent(step.trace));
  }

  /** The exchange is over. To a client, every status from 400 on is an error (semantic conventions, HTTP spans, Status). */
  end({ step, status, timeToFirstByte }: Exchange): void {
    if (timeToFirstByte < 0 || status === CLIENT_GONE) return step?.end({ error: OTHER });
    const attributes = { 'http.response.status_code': status };
    step?.end({ attributes, ...(status >= 400 && { error: String(status) }) });
  }
}
