import type { IncomingMessage } from 'node:http';
import { PayloadTooLargeException } from '@nestjs/common';
import { RookeryError } from '../../common/errors.js';
import type { Principal } from '../../security/principal.js';
import type { Route } from '../routes/route.js';
import { BodyCopy, type CopyBudget } from './body-copy.js';
import type { ExchangeCarrier } from './exchange-carrier.js';
import type {
  Answer,
  BodyEar,
  BodyTransform,
  ExchangeFailure,
  ExchangeResponse,
  FailureEar,
  FinishedEar,
  Repetition,
  ResponseEar,
} from './exchange-ears.js';
import { HeaderList, formatLines, parseLines } from './header-list.js';
import { QueryList } from './query-list.js';

const PATH = /^\/[!"$->@-~]*$/;
const HOST = /^[\w.:[\]-]*$/;

/** What a filter made of a request that cannot be sent. */
export class ExchangeError extends RookeryError {
  constructor(message: string) {
    super(message, { code: 'ERR_GATEWAY_FILTER', status: 500 });
  }
}

/**
 * One request on its way through the gateway, as filters see it.
 *
 * Before `next`, path, query, host and headers are what the upstream will get. Afterwards only the ears hear: of the
 * answer's head, of a failure, of the end. Ears run in the opposite order of the filters, so that the first filter has
 * the last word.
 */
export class GatewayExchange {
  /** The upstream's path, canonical. */
  path: string;
  /** The `Host` for the upstream; empty for the endpoint's own. */
  host: string;
  /** The head of the answer, in ears only. */
  response: ExchangeResponse | undefined = undefined;
  /** How a whole body is made another, and how large it may be. */
  transform: { readonly most: number; readonly make: BodyTransform } | undefined = undefined;
  private copy: BodyCopy | undefined = undefined;
  private headerList: HeaderList | undefined = undefined;
  private queryList: QueryList | undefined = undefined;
  private rawQuery: string;
  private responseEars: ResponseEar[] | undefined = undefined;
  private failureEars: FailureEar[] | undefined = undefined;
  private finishedEars: FinishedEar[] | undefined = undefined;
  private unheard = 0;

  /** @internal */
  constructor(/** @internal */ public carrier: ExchangeCarrier) {
    const { target } = carrier;
    const mark = target.indexOf('?');
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.rawQuery = mark === -1 ? '' : target.slice(mark);
    this.host = carrier.upstreamHost;
  }

  get method(): string {
    return this.carrier.request.method ?? 'GET';
  }

  /** The client's request as Node has it: its socket, `rawHeaders`, and whatever guards left on it. */
  get raw(): IncomingMessage {
    return this.carrier.request;
  }

  /** The host that the client asked for, with its port. */
  get publicHost(): string {
    return this.carrier.host;
  }

  /** The route it is led by. */
  get route(): Pick<Route, 'id' | 'path' | 'to' | 'metadata'> {
    return this.carrier.route;
  }

  /** Who sent it; undefined on public routes, and where nobody is known. */
  get principal(): Principal | undefined {
    return this.carrier.principal;
  }

  /** The peer's address. */
  get clientAddress(): string {
    return this.carrier.clientAddress;
  }

  /** What the client speaks with the gateway. */
  get clientProto(): 'http' | 'https' {
    return this.carrier.clientProto;
  }

  /** Under what the request is found in logs. */
  get correlationId(): string {
    return this.carrier.scope.correlationId;
  }

  /** The headers for the upstream, as the gateway has cleaned them. */
  get headers(): HeaderList {
    return (this.headerList ??= new HeaderList(parseLines(this.carrier.lines)));
  }

  /** The query for the upstream; parameters that are not changed keep their bytes. */
  get query(): QueryList {
    return (this.queryList ??= new QueryList(this.rawQuery));
  }

  /** `host:port` of the endpoint that it was sent to; undefined before. */
  get endpoint(): string | undefined {
    return this.carrier.endpointAuthority;
  }

  /** Whether the request has a body. */
  get hasBody(): boolean {
    return this.carrier.hasBody;
  }

  /** The path and query for the upstream, as they are now. */
  get target(): string {
    return this.path + (this.queryList?.toString() ?? this.rawQuery);
  }

  /** In an ear of `onResponse`: whether the upstream gave the answer, and not the gateway. */
  get fromUpstream(): boolean {
    return this.response?.fromUpstream === true;
  }

  /** Whether the request, with its body, can be sent once more. */
  get repeatable(): boolean {
    return this.carrier.repeatable;
  }

  /** Answers in place of the upstream; in an ear, in place of the answer that came. */
  answer(answer: Answer): void {
    this.carrier.answer(answer);
  }

  /** Hears of the answer's head before it is sent, also of those that the gateway gives itself. */
  onResponse(ear: ResponseEar): void {
    (this.responseEars ??= []).push(ear);
  }

  /** Hears that no answer came, before the client is told. */
  onFailure(ear: FailureEar): void {
    (this.failureEars ??= []).push(ear);
  }

  /** Hears that all is over. */
  onFinished(ear: FinishedEar): void {
    (this.finishedEars ??= []).push(ear);
  }

  /**
   * The request's whole body, in memory; it goes on to the upstream from there, and can be sent again.
   *
   * @param most bytes; a larger body is answered 413
   */
  readBody(most: number): Promise<Buffer> {
    return this.carrier.readBody(most);
  }

  /** Answers 413 to a body of more bytes; the gateway's own limit stays above it. */
  limitBody(most: number): void {
    const length = Number(this.headers.get('content-length') ?? 0);
    if (length > most) throw new PayloadTooLargeException('Content Too Large');
    const { bodyLimit } = this.carrier;
    this.carrier.bodyLimit = bodyLimit > 0 ? Math.min(bodyLimit, most) : most;
  }

  /** Sends other bytes in place of the request's body; only before `next`. */
  replaceBody(bytes: Buffer): void {
    this.carrier.replaceBody(bytes);
  }

  /**
   * Makes another body of the answer's; the last filter to ask is heard. Only in an ear of `onResponse`.
   *
   * @param most bytes; a larger answer is not sent but fails with 502
   */
  transformBody(most: number, make: BodyTransform): void {
    this.transform = { most, make };
  }

  /** @internal Copies the answer's body while it passes; only in an ear of `onResponse`, for an answer of the upstream's. */
  copyBody(most: number, budget: CopyBudget, ear: BodyEar): void {
    this.copy?.fail();
    this.copy = new BodyCopy(most, budget, ear);
  }

  /**
   * @internal The copy that was asked for, for the carrier that has the body. A body that is not sent on is not made
   * another one either, so that its copy would be of the wrong one.
   */
  takeCopy(carrier: ExchangeCarrier, isSent: boolean): BodyCopy | undefined {
    const { copy } = this;
    this.copy = undefined;
    if (carrier === this.carrier && (isSent || this.transform === undefined)) return copy;
    copy?.fail();
    return undefined;
  }

  /** How often it was sent once more. */
  get repeats(): number {
    return this.carrier.repeats;
  }

  /** Sends the request once more, to its own route or another; false when it cannot. Only in ears. */
  again(how: Repetition = {}): boolean {
    return this.carrier.again(how);
  }

  /** @internal Writes the headers into the carrier, which may get others from now on. */
  flushHeaders(): void {
    if (this.headerList) this.carrier.lines = formatLines(this.headerList.raw);
    this.headerList = undefined;
  }

  /** @internal Writes what the filters made into the carrier. */
  commit(): void {
    const { carrier } = this;
    if (!PATH.test(this.path)) throw new ExchangeError(`The path '${this.path}' cannot be sent.`);
    if (!HOST.test(this.host)) throw new ExchangeError(`The host '${this.host}' cannot be sent.`);
    carrier.upstreamHost = this.host;
    carrier.target = this.target;
    if (this.headerList) carrier.lines = formatLines(this.headerList.raw);
  }

  /** @internal The ears hear of an answer's head, the first filter's last; false when one put another in its place. */
  heard(response: ExchangeResponse): boolean {
    const { carrier } = this;
    // An answer given by an ear is heard by those that come after it.
    if (this.response === undefined) this.unheard = this.responseEars?.length ?? 0;
    this.response = response;
    while (this.unheard > 0) {
      this.responseEars?.[--this.unheard]?.(this);
      if (carrier !== this.carrier || this.response !== response) return false;
    }
    return true;
  }

  /** @internal Whether an ear has taken the failure upon itself. */
  failed(failure: ExchangeFailure): boolean {
    const ears = this.failureEars;
    for (let at = (ears?.length ?? 0) - 1; at >= 0; at--)
      if (ears?.[at]?.(this, failure)) return true;
    return false;
  }

  /** @internal */
  finished(status: number): void {
    const ears = this.finishedEars;
    this.finishedEars = undefined;
    for (let at = (ears?.length ?? 0) - 1; at >= 0; at--) ears?.[at]?.(this, status);
  }
}
