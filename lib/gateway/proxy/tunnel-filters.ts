import type { IncomingMessage, ServerResponse } from 'node:http';
import { BadRequestException } from '@nestjs/common';
import type { RequestScope } from '../../common/request-context.js';
import type { Principal } from '../../security/principal.js';
import type { ExchangeCarrier } from '../filters/exchange-carrier.js';
import type { Answer } from '../filters/exchange-ears.js';
import { GatewayExchange } from '../filters/gateway-exchange.js';
import type { NextFilter } from '../filters/gateway-filter.js';
import type { Route } from '../routes/route.js';
import type { ExchangeOwner } from './exchange-owner.js';
import { type FilterRunner, problemOf, runFilters } from './filter-run.js';
import type { NodeExchange } from './node-exchange.js';
import { PROBLEM_HEADERS } from './problem-response.js';
import { bytesOf } from './whole-body.js';

/**
 * A route's filters over the opening of a tunnel: they judge and change the request, or answer in its place; what has no
 * meaning for a tunnel, its answer's head and bodies, they never hear of.
 */
export class TunnelFilters implements ExchangeCarrier, FilterRunner {
  readonly repeatable = false;
  readonly repeats = 0;
  readonly endpointAuthority = undefined;
  /** The opening of a tunnel has no body. */
  bodyLimit = 0;
  readonly hasBody = false;
  undecided = true;
  private readonly face: GatewayExchange;

  constructor(
    private readonly exchange: NodeExchange,
    private readonly owner: ExchangeOwner,
  ) {
    this.face = new GatewayExchange(this);
  }

  get request(): IncomingMessage {
    return this.exchange.request;
  }

  get response(): ServerResponse {
    return this.exchange.response;
  }

  get route(): Route {
    return this.exchange.route;
  }

  get target(): string {
    return this.exchange.target;
  }

  set target(target: string) {
    this.exchange.target = target;
  }

  get lines(): string {
    return this.exchange.lines;
  }

  set lines(lines: string) {
    this.exchange.lines = lines;
  }

  get host(): string {
    return this.exchange.host;
  }

  get upstreamHost(): string {
    return this.exchange.upstreamHost;
  }

  set upstreamHost(host: string) {
    this.exchange.upstreamHost = host;
  }

  get principal(): Principal | undefined {
    return this.exchange.visit?.principal;
  }

  get clientAddress(): string {
    return this.exchange.connection.address;
  }

  get clientProto(): 'http' | 'https' {
    return this.exchange.connection.proto;
  }

  get scope(): RequestScope {
    return this.exchange.scope;
  }

  run(filters: NextFilter): void {
    runFilters(filters, this.face, this);
  }

  proceed(): void {
    if (!this.undecided) return;
    this.undecided = false;
    this.face.commit();
    this.exchange.start();
  }

  answer({ status, headers = {}, body }: Answer): void {
    const { bytes, type } = bytesOf(body);
    const raw = Object.entries(headers).flat();
    this.end(status, type === undefined ? raw : ['content-type', type, ...raw], bytes);
  }

  onThrown(error: unknown): void {
    const { status, body, isFault } = problemOf(error, this.scope.correlationId);
    if (isFault) this.owner.onFilterFailed(this.route, error);
    this.end(status, [...PROBLEM_HEADERS], Buffer.from(body));
  }

  readBody(): Promise<Buffer> {
    return Promise.reject(new BadRequestException());
  }

  replaceBody(): void {}

  again(): boolean {
    return false;
  }

  private end(status: number, raw: readonly string[], body: Buffer): void {
    if (!this.undecided) return;
    this.undecided = false;
    this.exchange.endWith(status, [...raw], body);
  }
}
