import type { Socket } from 'node:net';
import type { RequestScope } from '../../common/request-context.js';
import type { DoorVisit } from '../proxy/door-visit.js';
import { Exchange } from '../proxy/exchange.js';
import type { ExchangeOwner } from '../proxy/exchange-owner.js';
import { earlyLinks } from '../proxy/early-hints.js';
import { CLIENT_GONE, type ProblemStatus, problemAnswer } from '../proxy/problem-response.js';
import type { Route } from '../routes/route.js';
import type { AnswerFraming, PlainAnswer } from './answer-head.js';
import type { LaneConnection } from './lane-connection.js';
import type { LaneHead } from './lane-head.js';

/** Pieces of a body up to this size are joined to what stands before and behind them. */
const SMALL = 4_096;

/** An exchange whose client is read and answered by its bare socket. */
export class LaneExchange extends Exchange implements PlainAnswer {
  isBegun = false;
  /** How many bytes its body has. */
  length = 0;
  /** The door that it must pass first; undefined where there is none. */
  entrance: DoorVisit | undefined = undefined;
  /** Whether the answer was written to its end. */
  ended = false;
  /** What is written of the answer and not sent yet. */
  private out = '';
  private delimited: AnswerFraming = 'none';

  constructor(
    private readonly lane: LaneConnection,
    head: LaneHead,
    route: Route,
    scope: RequestScope,
    owner: ExchangeOwner,
  ) {
    super(head.method, head.url, route, lane.client, scope, owner);
  }

  override get socket(): Socket {
    return this.lane.socket;
  }

  override get isGone(): boolean {
    return !this.lane.socket.writable;
  }

  /** Whether the answer is to `HEAD`. */
  get toHead(): boolean {
    return this.method === 'HEAD';
  }

  /** Whether the connection ends behind the answer. */
  get closes(): boolean {
    return this.lane.closes;
  }

  override start(): void {
    const { entrance } = this;
    this.entrance = undefined;
    if (entrance === undefined) super.start();
    else entrance.enter(() => super.start());
  }

  override closeAfter(): void {
    this.endConnection();
  }

  override endConnection(): void {
    this.lane.keepsAlive = false;
  }

  override endWith(status: number, rawHeaders: string[], body: Buffer): void {
    if (this.done) return;
    const isBodiless = status === 204 || status === 304;
    if (!isBodiless) rawHeaders.push('content-length', String(body.length));
    if (this.isGone) this.status = CLIENT_GONE;
    else if (this.writeHead(status, rawHeaders))
      this.sendEnd(isBodiless || this.toHead ? '' : body.toString('latin1'));
    this.finish();
  }

  override pauseBody(): void {
    this.lane.holdBody();
  }

  override resumeBody(): void {
    this.lane.flowBody();
  }

  override onInformation(status: number, rawHeaders: readonly string[]): void {
    if (status !== 103 || this.isBegun || this.isGone) return;
    const links = earlyLinks(rawHeaders);
    if (links.length === 0) return;
    this.lane.flush();
    this.socket.write(`HTTP/1.1 103 Early Hints\r\nLink: ${links.join(', ')}\r\n\r\n`, 'latin1');
  }

  protected override pump(): void {
    this.lane.flowBody();
  }

  /** What is left of the body is the connection's affair. */
  protected override discard(): void {}

  protected override sendHead(status: number, rawHeaders: string[]): void {
    this.isBegun = true;
    const { answers } = this.lane;
    this.status = status;
    this.out = answers.write(this, rawHeaders);
    this.delimited = answers.framing;
  }

  protected override flush(): void {
    this.send('');
  }

  protected override sendBody(chunk: Buffer): boolean {
    if (chunk.length === 0 || this.delimited === 'none') return true;
    const isTaken =
      chunk.length <= SMALL && (this.out !== '' || this.delimited === 'chunked')
        ? this.send(this.chunkOf(chunk.length, chunk.toString('latin1')))
        : this.sendLarge(chunk);
    // What the system has taken whole keeps nobody waiting.
    if (isTaken || this.socket.writableLength === 0) return true;
    this.deadlines.reader.await();
    return false;
  }

  protected override sendEnd(body: string): void {
    this.ended = true;
    const last = this.delimited === 'chunked' ? '0\r\n\r\n' : '';
    this.send(body === '' ? last : this.chunkOf(body.length, body) + last);
  }

  protected override sendProblem(status: ProblemStatus): void {
    const { headers, body } = problemAnswer({ status, requestId: this.scope.correlationId });
    this.sendHead(status, headers);
    this.sendEnd(this.method === 'HEAD' ? '' : body);
  }

  protected override cutOff(): void {
    this.socket.destroy();
  }

  /** The connection watches what is left. */
  protected override awaitReader(): void {}

  protected override finish(): void {
    if (this.done) return;
    super.finish();
    this.lane.onAnswered(this);
  }

  private chunkOf(length: number, text: string): string {
    return this.delimited === 'chunked' ? `${length.toString(16)}\r\n${text}\r\n` : text;
  }

  /** Sends a text behind what was written already; false when the client does not take it at once. */
  private send(text: string): boolean {
    const bytes = this.out + text;
    this.out = '';
    if (this.ended) return this.lane.sendLast(bytes);
    this.lane.flush();
    return bytes === '' || this.socket.write(bytes, 'latin1');
  }

  /** A large piece is not copied, and leaves in one go with its frame. */
  private sendLarge(chunk: Buffer): boolean {
    const { socket } = this;
    const isChunked = this.delimited === 'chunked';
    const before = isChunked ? `${this.out}${chunk.length.toString(16)}\r\n` : this.out;
    this.out = '';
    this.lane.flush();
    if (before === '') return socket.write(chunk);
    socket.cork();
    socket.write(before, 'latin1');
    let isTaken = socket.write(chunk);
    if (isChunked) isTaken = socket.write('\r\n', 'latin1');
    socket.uncork();
    return isTaken;
  }
}
