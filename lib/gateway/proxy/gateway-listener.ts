import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { RequestListener } from '../../common/request-listener.js';
import { HttpProxy } from './http-proxy.js';

/** Node's default for `server.headersTimeout`. */
const NODE_HEADERS_TIMEOUT = 60_000;
const HEADERS_TIMEOUT = 10_000;

/**
 * The gateway's place on the HTTP server: ahead of Nest, so that no body parser sees what is only passing through.
 *
 * `Expect: 100-continue` is answered by Node before this hears of the request.
 */
@Injectable()
export class GatewayListener implements OnApplicationBootstrap {
  constructor(
    private readonly listener: RequestListener,
    proxy: HttpProxy,
  ) {
    listener.take((request, response) => proxy.take(request, response));
  }

  onApplicationBootstrap(): void {
    const { server } = this.listener;
    if (!server) return;
    // Node drops headers beyond a number without a word; the limit in bytes is enough.
    server.maxHeadersCount = 0;
    if (server.headersTimeout === NODE_HEADERS_TIMEOUT) server.headersTimeout = HEADERS_TIMEOUT;
  }
}
