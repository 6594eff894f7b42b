import type { IncomingHttpHeaders } from 'node:http';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { Observable } from 'rxjs';
import { RequestContext } from '../common/request-context.js';
import { LateMessageError } from './messaging.errors.js';
import { CARRIED, carriedBy } from './packet-context.js';

/** The contexts of Nest's transports, as far as they know what came with a message. */
interface TransportContext {
  getMetadata?(): unknown;
  getHeaders?(): { get?(name: string): unknown } | undefined;
  /** gRPC's own `Metadata`. */
  get?(name: string): readonly unknown[];
}

/**
 * Runs handlers of messages inside of their caller's request context, and refuses messages whose caller waits no longer:
 * over Redis, NATS, gRPC and whatever else gives its handlers a context. Messages of `DiscoverableTcpServer` have theirs.
 *
 * @example
 * const app = await NestFactory.createMicroservice(AppModule, { transport: Transport.REDIS });
 * app.useGlobalInterceptors(app.get(MessageContextInterceptor));
 */
@Injectable()
export class MessageContextInterceptor implements NestInterceptor {
  constructor(private readonly context: RequestContext) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (execution.getType() !== 'rpc' || this.context.current) return next.handle();
    const scope = this.context.open(headersOf(execution.switchToRpc().getContext()));
    if (this.context.isLate(scope)) throw new LateMessageError();
    return new Observable((observer) =>
      this.context.run(scope, () => next.handle().subscribe(observer)),
    );
  }
}

function headersOf(context: TransportContext | undefined): IncomingHttpHeaders {
  const metadata = context?.getMetadata?.();
  if (metadata) return carriedBy({ metadata });
  const headers = context?.getHeaders?.();
  const found: Record<string, unknown> = {};
  for (const name of CARRIED) {
    if (headers?.get) found[name] = headers.get(name) || undefined;
    else if (typeof context?.get === 'function') [found[name]] = context.get(name);
  }
  return carriedBy({ metadata: found });
}
