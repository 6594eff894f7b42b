import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { RequestListener } from '../../common/request-listener.js';
import { answerAsHttp1, asksForH2c } from './h2c.js';
import { HttpProxy } from './http-proxy.js';

type UpgradeHandler = (request: IncomingMessage, socket: Socket, early: Buffer) => void;

/**
 * The gateway's place on the server's `upgrade` event: WebSockets that a route matches are the gateway's, the rest goes to
 * whoever else listens, such as a WebSocket gateway of Nest's in the same application.
 *
 * The others' listeners are taken off the server and called from here, because some of them end every connection whose
 * path they do not know.
 */
@Injectable()
export class UpgradeListener implements OnApplicationBootstrap {
  private others: readonly UpgradeHandler[] = [];

  constructor(
    private readonly listener: RequestListener,
    private readonly proxy: HttpProxy,
  ) {}

  onApplicationBootstrap(): void {
    const { server } = this.listener;
    if (!server) return;
    const own: UpgradeHandler = (request, socket, early) =>
      this.deliver(server, { request, socket, early });
    this.adopt(server, own);
    server.on('upgrade', own);
    server.on('newListener', (event) => {
      // A listener is added only after this is told of it.
      if (event === 'upgrade') queueMicrotask(() => this.adopt(server, own));
    });
  }

  private adopt(server: Server, own: UpgradeHandler): void {
    const found = (server.listeners('upgrade') as UpgradeHandler[]).filter(
      (other) => other !== own,
    );
    for (const other of found) server.off('upgrade', other);
    this.others = [...this.others, ...found];
  }

  private deliver(server: Server, arrival: Arrival): void {
    if (asksForH2c(arrival)) return answerAsHttp1(server, arrival);
    const { request, socket, early } = arrival;
    const upgrade = { request, early, answer: () => responseOver(request, socket) };
    if (this.proxy.takeUpgrade(upgrade)) return;
    if (this.others.length === 0) return this.proxy.refuseUpgrade(upgrade);
    for (const other of this.others) other.call(server, request, socket, early);
  }
}

interface Arrival {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly early: Buffer;
}

/** An answer for a socket that Node gave up; it ends the connection. */
function responseOver(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  // Node has taken its own listeners off the socket, so that an error would end the process.
  socket.on('error', () => {});
  try {
    response.assignSocket(socket);
  } catch {
    // An earlier request on this connection is not answered yet, and never will be: nobody reads for it any more.
    socket.destroy();
    response.destroy();
    return response;
  }
  socket.on('drain', () => response.emit('drain'));
  response.on('finish', () => socket.destroySoon());
  return response;
}
