import type { Principal } from '../../security/principal.js';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestScope } from '../../common/request-context.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import { UpstreamCall } from '../../upstream/upstream-call.js';
import type { Route } from '../routes/route.js';
import { AnswerBody } from '../proxy/answer-body.js';
import { BodyCopy, type CopyBudget } from '../filters/body-copy.js';
import type { ExchangeCarrier } from '../filters/exchange-carrier.js';
import { GatewayExchange } from '../filters/gateway-exchange.js';
import type { NextFilter } from '../filters/gateway-filter.js';
import { formatLines, HeaderList } from '../filters/header-list.js';

/** What is done with an answer that was fetched behind a client's back. */
export interface Refresh {
  /** Changes the request before the filters behind the cache see it. */
  readonly prepare: (shadow: GatewayExchange) => void;
  readonly mostBody: number;
  readonly budget: CopyBudget;
  readonly onAnswer: (answer: {
    readonly status: number;
    readonly headers: HeaderList;
    readonly body: Buffer;
  }) => void;
  readonly onFailure: () => void;
}

/** Sends a request once more for nobody but the cache: through the filters behind it, as they would be passed by any other. */
export function refreshBehind(exchange: GatewayExchange, next: NextFilter, refresh: Refresh): void {
  const shadow = new Shadow(exchange, refresh);
  refresh.prepare(shadow.face);
  try {
    const running = next(shadow.face);
    if (running !== undefined)
      running.catch(() => {
        shadow.giveUp();
      });
  } catch {
    shadow.giveUp();
  }
}

/** Carries a request that no client waits for. */
class Shadow extends UpstreamCall implements ExchangeCarrier {
  override readonly method = 'GET';
  override readonly hasBody = false;
  override readonly replayable = true;
  override readonly responseTimeout: number;
  readonly repeatable = false;
  readonly repeats = 0;
  readonly face: GatewayExchange;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly scope: RequestScope;
  readonly route: Route;
  readonly host: string;
  readonly principal: Principal | undefined;
  readonly clientAddress: string;
  readonly clientProto: 'http' | 'https';
  endpointAuthority: string | undefined = undefined;
  target: string;
  upstreamHost: string;
  lines: string;
  bodyLimit = 0;
  private status = 0;
  private headers = new HeaderList([]);
  private transform: AnswerBody | undefined = undefined;
  private copy: BodyCopy | undefined = undefined;
  private done = false;

  constructor(
    exchange: GatewayExchange,
    private readonly refresh: Refresh,
  ) {
    super();
    const { carrier } = exchange;
    this.request = carrier.request;
    this.response = carrier.response;
    this.scope = carrier.scope;
    this.route = carrier.route;
    this.host = carrier.host;
    this.principal = carrier.principal;
    this.clientAddress = carrier.clientAddress;
    this.clientProto = carrier.clientProto;
    this.target = exchange.target;
    this.upstreamHost = exchange.host;
    this.lines = formatLines(exchange.headers.raw);
    this.responseTimeout = carrier.route.timeout;
    if (carrier.route.accepts !== undefined) this.accepts = carrier.route.accepts;
    this.face = new GatewayExchange(this);
  }

  proceed(): void {
    if (this.done) return;
    this.face.commit();
    this.route.upstream.dispatch(this);
  }

  /** A filter behind the cache has answered: that is no answer of the upstream's, and not kept. */
  answer(): void {
    this.giveUp();
  }

  readBody(): Promise<Buffer> {
    return Promise.resolve(Buffer.alloc(0));
  }

  replaceBody(): void {}

  again(): boolean {
    return false;
  }

  override head(endpoint: Endpoint): string {
    this.endpointAuthority = endpoint.authority;
    const host = this.upstreamHost === '' ? endpoint.authority : this.upstreamHost;
    return `GET ${this.target} HTTP/1.1\r\nhost: ${host}\r\n${this.lines}\r\n`;
  }

  override onHead(status: number, rawHeaders: string[]): void {
    const response = { status, headers: new HeaderList(rawHeaders), fromUpstream: true };
    if (!this.face.heard(response)) return this.giveUp();
    this.status = response.status;
    this.headers = response.headers;
    this.transform = AnswerBody.of(this.face, this.method);
    this.copy = new BodyCopy(this.refresh.mostBody, this.refresh.budget, (body) => this.end(body));
  }

  override onBody(chunk: Buffer): boolean {
    if (this.transform === undefined) this.copy?.add(chunk);
    else if (!this.transform.add(chunk)) this.giveUp();
    return true;
  }

  override onEnd(): void {
    const { transform, copy } = this;
    if (transform === undefined) return copy?.end();
    transform.made().then(
      (body) => copy?.whole(body),
      () => this.giveUp(),
    );
  }

  override onError(): void {
    this.giveUp();
  }

  giveUp(): void {
    if (this.copy) this.copy.fail();
    else this.end(undefined);
  }

  private end(body: Buffer | undefined): void {
    if (this.done) return;
    this.done = true;
    const { status, headers } = this;
    if (body === undefined) {
      this.refresh.onFailure();
      this.route.upstream.cancel(this);
    } else this.refresh.onAnswer({ status, headers, body });
  }
}
