import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { Server } from 'node:http';
import { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { RequestListener, type RequestsBeside } from '../../common/request-listener.js';
import { Deadlines } from '../../upstream/deadline-list.js';
import { FlushQueue } from '../../upstream/flush-queue.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import { ExchangeReporter } from '../proxy/exchange-reporter.js';
import { type RoutedEntry, RequestRouting } from '../proxy/request-routing.js';
import type { Route } from '../routes/route.js';
import { AnswerHead } from './answer-head.js';
import { LaneConnection } from './lane-connection.js';
import { LaneExchange } from './lane-exchange.js';
import { LaneHead } from './lane-head.js';
import type { LaneOwner } from './lane-owner.js';

type ConnectionListener = (this: Server, socket: Socket) => void;

/** Tracers listen here to every request that Node reads. */
const REQUEST_STARTED = channel('http.server.request.start');

/**
 * A shorter way for plain requests: it stands at the server's `connection` event, cuts out by itself what it can read
 * beyond doubt and a route without filters takes, and leads it from socket to socket. A third to a half of the CPU time
 * of a request is Node's own request and response, and this spares them.
 *
 * All decisions are those of the long way. Whatever it does not take, wrong, rare or for Nest, goes to Node with the
 * connection it came on, and stays there; so does all that somebody wants to see as Node has it.
 */
@Injectable()
export class FastLane implements LaneOwner, RequestsBeside {
  readonly deadlines: Deadlines;
  readonly answers: AnswerHead;
  readonly flushes = new FlushQueue();
  private readonly head = new LaneHead();
  private readonly connections = new Set<LaneConnection>();
  private server: Server | undefined;
  private toNode: ConnectionListener | undefined;
  private hangingUp = false;

  constructor(
    clock: Clock,
    private readonly listener: RequestListener,
    private readonly routing: RequestRouting,
    private readonly reporter: ExchangeReporter,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {
    this.deadlines = new Deadlines(clock);
    this.answers = new AnswerHead(
      () => clock.wallTime(),
      () => this.timeouts.keepAliveTimeout,
    );
  }

  get timeouts(): Pick<Server, 'headersTimeout' | 'requestTimeout' | 'keepAliveTimeout'> {
    return this.server as Server;
  }

  get isClosing(): boolean {
    return this.hangingUp || this.server?.listening === false;
  }

  /** How many requests are under way. */
  get open(): number {
    let count = 0;
    for (const { isBusy } of this.connections) if (isBusy) count++;
    return count;
  }

  /** Takes its place at a server's `connection` event, if it may. */
  install(server: Server): void {
    // TLS and HTTP/2 servers are none of these, and a patched `emit` is a tracer's.
    const isUsual = server instanceof Server && server.emit === EventEmitter.prototype.emit;
    if (!this.settings.fastLane || !isUsual) return;
    const others = server.listeners('connection') as ConnectionListener[];
    const toNode = others.find(({ name }) => name === 'connectionListener');
    if (toNode === undefined) return;
    this.server = server;
    this.toNode = toNode;
    server.removeAllListeners('connection');
    // Everyone else hears of connections as before.
    for (const other of others)
      server.on('connection', other === toNode ? (socket: Socket) => this.admit(socket) : other);
    this.followClosing(server);
    this.listener.beside = this;
  }

  hangUp(): void {
    this.hangingUp = true;
    this.closeIdle();
  }

  handOver(connection: LaneConnection, bytes: Buffer): void {
    const { socket } = connection;
    this.connections.delete(connection);
    connection.release();
    socket.pause();
    if (bytes.length > 0) socket.unshift(bytes);
    this.toNode?.call(this.server as Server, socket);
    socket.resume();
  }

  /** As Node does with a client that sends nothing. */
  onSilence({ socket }: LaneConnection): void {
    const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    this.server?.emit('clientError', error, socket);
    if (!socket.destroyed) socket.destroySoon();
  }

  begin(connection: LaneConnection, text: string): LaneExchange | undefined {
    const { head, routing, reporter } = this;
    if (!head.read(text) || this.listener.hasPlace(head.url) || !routing.read(head))
      return undefined;
    const entry = routing.match(head, connection.socket) as RoutedEntry | undefined;
    const route = entry?.route;
    if (entry === undefined || route === undefined || !isPlain(route)) return undefined;
    if (routing.judge(head, entry) !== undefined) return undefined;
    const scope = routing.scopeOf(head);
    const exchange = new LaneExchange(connection, head, route, scope, reporter);
    exchange.startedAt = reporter.now();
    exchange.length = routing.length;
    connection.keepsAlive = head.keepAlive;
    routing.equip(exchange, head, entry);
    if (route.timeouts.total > 0) exchange.deadlines.limitTotal();
    if (route.door) exchange.entrance = routing.visit(exchange, route.door, head);
    return exchange;
  }

  private admit(socket: Socket): void {
    const { server } = this;
    if (server === undefined || !this.takes(server, socket))
      return this.toNode?.call(server as Server, socket);
    const client = this.routing.connectionOf(socket);
    const connection = new LaneConnection(socket, client, this);
    this.connections.add(connection);
    socket.once('close', () => this.connections.delete(connection));
  }

  /** Whether nobody wants to see this connection's requests, and no limit is set that only Node keeps. */
  private takes(server: Server, socket: Socket): boolean {
    if (!(socket instanceof Socket) || 'encrypted' in socket) return false;
    if (server.timeout > 0 || (server.maxRequestsPerSocket ?? 0) > 0) return false;
    const isSeen = this.listener.seesEvery || server.listenerCount('request') > 1;
    return !isSeen && !REQUEST_STARTED.hasSubscribers;
  }

  /** Node closes connections by these two, also when the server closes, and it does not know of ours. */
  private followClosing(server: Server): void {
    const closeIdle = server.closeIdleConnections.bind(server);
    const closeAll = server.closeAllConnections.bind(server);
    server.closeIdleConnections = () => {
      closeIdle();
      this.closeIdle();
    };
    server.closeAllConnections = () => {
      closeAll();
      for (const { socket } of this.connections) socket.destroy();
    };
  }

  private closeIdle(): void {
    for (const connection of this.connections) if (connection.isIdle) connection.close();
  }
}

/** Whether nothing on a route wants to see a request as Node has it. */
function isPlain({ filters }: Route): boolean {
  return filters === undefined;
}
