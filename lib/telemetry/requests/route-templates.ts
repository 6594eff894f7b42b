import type { IncomingMessage } from 'node:http';

/** What a request that no route matched is called. */
export const UNMATCHED = 'unmatched';

/** What Express leaves on a request that matched a route. */
interface ExpressRequest extends IncomingMessage {
  readonly route?: { readonly path?: unknown };
  readonly baseUrl?: string;
}

/** What is used of Fastify. */
interface FastifyLike {
  addHook(
    name: 'onRequest',
    hook: (
      request: { readonly raw: IncomingMessage; readonly routeOptions?: { readonly url?: string } },
      reply: unknown,
      done: () => void,
    ) => void,
  ): void;
}

/**
 * Knows the route of a request as it was written, `/orders/:id`: the path itself would make a series, or a line, for each
 * order.
 */
export class RouteTemplates {
  private readonly byRequest = new WeakMap<IncomingMessage, string>();

  /** Lets Fastify tell the route of each request; Express leaves it on the request. Call it before the first request. */
  follow(httpInstance: unknown): void {
    if (!isFastify(httpInstance)) return;
    httpInstance.addHook('onRequest', (request, _reply, done) => {
      const url = request.routeOptions?.url;
      if (url !== undefined) this.byRequest.set(request.raw, url);
      done();
    });
  }

  /** The template of a request that has been handled. */
  of(request: IncomingMessage): string {
    const known = this.byRequest.get(request);
    if (known !== undefined) return known;
    const { route, baseUrl = '' } = request as ExpressRequest;
    return typeof route?.path === 'string' ? baseUrl + route.path : UNMATCHED;
  }
}

function isFastify(instance: unknown): instance is FastifyLike {
  return (
    ((typeof instance === 'object' && instance !== null) || typeof instance === 'function') &&
    'addHook' in instance
  );
}
