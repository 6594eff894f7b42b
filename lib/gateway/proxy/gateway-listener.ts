import type { Server } from 'node:http';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { RequestListener, type RequestTaker } from '../../common/request-listener.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import { FastLane } from '../lane/fast-lane.js';
import { askForBody, expectContinue } from './continuation.js';
import { answerUnreadable } from './unreadable-requests.js';
import { HttpProxy } from './http-proxy.js';

/** Node's defaults of an HTTP server, in ms. */
const NODE = { headersTimeout: 60_000, connectionsCheckingInterval: 30_000 };
const HEAD_TIMEOUT = 10_000;
/** How often slow requests are looked for, in ms. */
const CHECK = 1_000;

/** Node reads it when the server begins to listen; its types know it as an option only. */
type CheckedServer = Server & { connectionsCheckingInterval?: number };

/**
 * The gateway's place on the HTTP server: ahead of Nest, so that no body parser sees what is only passing through.
 *
 * A client that waits for `100 Continue` is asked for its body by whoever reads it, and Nest's by this; an application's own
 * `checkContinue` listener stays in charge.
 */
@Injectable()
export class GatewayListener implements OnApplicationBootstrap {
  constructor(
    private readonly listener: RequestListener,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
    private readonly proxy: HttpProxy,
    private readonly lane: FastLane,
  ) {
    listener.take(this.take);
  }

  onApplicationBootstrap(): void {
    const { server } = this.listener;
    if (!server) return;
    // Node drops headers beyond a number without a word; the limit in bytes is enough.
    server.maxHeadersCount = 0;
    this.setTimeouts(server);
    answerUnreadable(server);
    if (this.listener.isFirst(this.take)) this.lane.install(server);
    if (server.listenerCount('checkContinue') > 0) return;
    server.on('checkContinue', (request, response) => {
      expectContinue(request, response);
      server.emit('request', request, response);
    });
  }

  private readonly take: RequestTaker = (request, response) => {
    const taken = this.proxy.take(request, response);
    if (!taken) askForBody(request);
    return taken;
  };

  /** What was set on the server by hand stays, unless the gateway's options say otherwise. */
  private setTimeouts(server: CheckedServer): void {
    const { head, request } = this.settings.timeouts;
    if (head !== undefined) server.headersTimeout = head;
    else if (server.headersTimeout === NODE.headersTimeout) server.headersTimeout = HEAD_TIMEOUT;
    if (request !== undefined) server.requestTimeout = request;
    // Otherwise a head that may take 10 s could take 40.
    if (server.connectionsCheckingInterval === NODE.connectionsCheckingInterval)
      server.connectionsCheckingInterval = CHECK;
  }
}
