import type { Socket } from 'node:net';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { messageOf } from '../../common/errors.js';
import { EventHub } from '../../common/event-hub.js';
import {
  CORRELATION_HEADER,
  RequestContext,
  type RequestScope,
} from '../../common/request-context.js';
import { formatTraceparent } from '../../common/trace-context.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import { GatewayRoutes } from '../gateway-routes.js';
import { PredicateRequest } from '../predicates/predicate-request.js';
import type { RouteEntry } from '../routes/route-table.js';
import type { Route } from '../routes/route.js';
import type { RouteDoor } from '../door/route-door.js';
import { ClientConnection } from './client-connection.js';
import { DoorVisit, type DoorVisitParts } from './door-visit.js';
import { withDeadline } from './deadline-line.js';
import type { Exchange } from './exchange.js';
import { type Framing, RequestFraming } from './framing.js';
import { headerOf, requestLines, type WrittenLines } from './headers.js';
import { RequestTarget } from './path.js';
import type { ProblemStatus } from './problem-response.js';
import type { RequestHead } from './request-head.js';
import { trustedProxies } from './trusted-proxies.js';

/** What a request is led to, which is not the gateway's own controllers. */
export type RoutedEntry = RouteEntry & { readonly route: Route };

/**
 * Every decision about a request that is made from its head, the same whichever way it came in: its canonical path, its
 * route, what is wrong with it, and what its upstream is told.
 *
 * It looks at one request at a time, from `read` to `equip`, and nothing may come between.
 */
@Injectable()
export class RequestRouting {
  private readonly logger = new Logger('Gateway');
  // Both are read at once for each request, so one of each is enough.
  private readonly target: RequestTarget;
  private readonly framing = new RequestFraming();
  private readonly isTrusted: (address: string) => boolean;
  private readonly proxies: DoorVisitParts['proxies'];

  constructor(
    private readonly routes: GatewayRoutes,
    private readonly context: RequestContext,
    private readonly events: EventHub,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {
    this.target = new RequestTarget(settings.limits.encodedSlash);
    const { trustedProxies: proxies } = settings;
    // Where proxies are counted, nobody may come past them, so that every peer is one.
    this.isTrusted = typeof proxies === 'number' ? () => true : trustedProxies(proxies);
    this.proxies = { isTrusted: this.isTrusted, hops: typeof proxies === 'number' ? proxies : 0 };
  }

  /** How the body of the request that was judged is delimited. */
  get body(): Framing {
    return this.framing.body;
  }

  /** The length of its body, where it is known. */
  get length(): number {
    return this.framing.length;
  }

  /** Reads a request's target; false means 400. */
  read(head: RequestHead): boolean {
    return this.target.read(head.url ?? '');
  }

  /** What the request that was read is led to. */
  match(head: RequestHead, socket: Socket): RouteEntry | undefined {
    const { method = 'GET' } = head;
    if (method === 'OPTIONS') {
      // A preflight is answered by the route of the request that it asks for.
      const wanted = headerOf(head.rawHeaders, 'access-control-request-method');
      const isPreflight = wanted !== undefined && headerOf(head.rawHeaders, 'origin') !== undefined;
      const entry = isPreflight ? this.find(wanted, head, socket) : undefined;
      if (entry?.route?.door?.answersPreflights) return entry;
    }
    return this.find(method, head, socket);
  }

  private find(method: string, head: RequestHead, socket: Socket): RouteEntry | undefined {
    const { table } = this.routes;
    const host = table.usesHosts ? hostName(head) : '';
    const { rawHeaders } = head;
    const { matched: path, query } = this.target;
    if (!table.usesPredicates) return table.match(method, path, host);
    const { address } = this.connectionOf(socket);
    return table.matchWhere(
      new PredicateRequest({ method, path, query, host, rawHeaders, address }),
    );
  }

  /** What is wrong with a request that a route matches. */
  judge(head: RequestHead, entry: RoutedEntry): ProblemStatus | undefined {
    const { framing, target } = this;
    const { bodyLimit, hides } = entry.route;
    if (!framing.read(head) || head.method === 'TRACE') return 400;
    if (target.authority !== '' && target.authority.toLowerCase() !== framing.host.toLowerCase())
      return 421;
    if ((head.url ?? '').length > this.settings.limits.url) return 414;
    if (framing.size > this.settings.limits.head) return 431;
    if (bodyLimit > 0 && framing.length > bodyLimit) return 413;
    return hides?.(this.pathOf(entry)) ? 404 : undefined;
  }

  /** Writes down in an exchange what its upstream is told. */
  equip(exchange: Exchange, head: RequestHead & Partial<WrittenLines>, entry: RoutedEntry): void {
    const { framing, target } = this;
    const { route } = entry;
    exchange.target = this.pathOf(entry) + target.query;
    exchange.host = framing.host;
    if (route.keepHost) exchange.upstreamHost = framing.host;
    exchange.framing = framing.body;
    exchange.hasBody = framing.body !== 'none';
    exchange.bodyLimit = route.bodyLimit;
    const { rawHeaders, text } = head;
    const written = text === undefined ? undefined : (head as WrittenLines);
    exchange.lines =
      requestLines(rawHeaders, exchange.connection, framing.host, written) +
      linesOf(exchange.scope);
    if (framing.body === 'chunked') exchange.lines += 'transfer-encoding: chunked\r\n';
    const { total } = route.timeouts;
    if (total > 0) exchange.lines = withDeadline(exchange.lines, total);
  }

  connectionOf(socket: Socket): ClientConnection {
    return ClientConnection.of(socket, this.isTrusted);
  }

  scopeOf({ rawHeaders }: RequestHead): RequestScope {
    const named: TraceFields = {
      traceparent: undefined,
      tracestate: undefined,
      [CORRELATION_HEADER]: undefined,
    };
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] as string;
      if (!mayBeTrace(name.length)) continue;
      const lower = name.toLowerCase();
      // The first of a name counts.
      if (isTrace(lower)) named[lower] ??= rawHeaders[at + 1];
    }
    return this.context.open(named);
  }

  /** The request at the door of its route. */
  visit(exchange: Exchange, door: RouteDoor, { rawHeaders }: RequestHead): DoorVisit {
    const { proxies, onRefused, onDoorFailed: onFailed, target } = this;
    const path = target.matched;
    return new DoorVisit({ exchange, door, rawHeaders, path, proxies, onRefused, onFailed });
  }

  private readonly onRefused: DoorVisitParts['onRefused'] = (exchange, refusal, clientAddress) => {
    if (!this.events.hears('request.refused')) return;
    const { route, method, scope } = exchange;
    const { status, reason } = refusal;
    this.events.emit('request.refused', { route, method, status, reason, clientAddress, scope });
  };

  private readonly onDoorFailed = (error: unknown) => {
    const stack = error instanceof Error ? error.stack : undefined;
    this.logger.error(`A step at the door of a route failed: ${messageOf(error)}`, stack);
  };

  /** The path for the upstream. */
  private pathOf({ rewrite }: RoutedEntry): string {
    const { path } = this.target;
    return rewrite === undefined ? path : rewrite(path);
  }
}

type TraceField = 'traceparent' | 'tracestate' | typeof CORRELATION_HEADER;
type TraceFields = Record<TraceField, string | undefined>;

/** A look at the length spares most names the lower-casing. */
function mayBeTrace(length: number): boolean {
  return length === 11 || length === 10 || length === 16;
}

function isTrace(name: string): name is TraceField {
  return name === 'traceparent' || name === 'tracestate' || name === CORRELATION_HEADER;
}

/** The lines that carry a request's place in its trace. */
function linesOf({ trace, tracestate, correlationId }: RequestScope): string {
  const lines = `traceparent: ${formatTraceparent(trace)}\r\n${CORRELATION_HEADER}: ${correlationId}\r\n`;
  return tracestate === undefined ? lines : `${lines}tracestate: ${tracestate}\r\n`;
}

/** The host that is asked for, without its port and in small letters. */
function hostName({ rawHeaders }: RequestHead): string {
  const host = headerOf(rawHeaders, 'host') ?? '';
  return host.replace(/:\d*$/, '').toLowerCase();
}
