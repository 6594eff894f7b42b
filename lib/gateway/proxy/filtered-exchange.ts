import type { Principal } from '../../security/principal.js';
import type { RequestSink, ResponseSource } from '../../upstream/upstream-call.js';
import { CallCancelledError, type UpstreamError } from '../../upstream/upstream.errors.js';
import type { ExchangeCarrier } from '../filters/exchange-carrier.js';
import type { Answer, ExchangeResponse, Repetition } from '../filters/exchange-ears.js';
import type { BodyCopy } from '../filters/body-copy.js';
import { GatewayExchange } from '../filters/gateway-exchange.js';
import { HeaderList } from '../filters/header-list.js';
import { AnswerBody } from './answer-body.js';
import { discardBody } from './body-remainder.js';
import { changeDoors, takeOver } from './exchange-succession.js';
import { type FilterRunner, problemOf, runFilters } from './filter-run.js';
import { NodeExchange } from './node-exchange.js';
import {
  CLIENT_GONE,
  plainProblem,
  PROBLEM_HEADERS,
  type ProblemStatus,
  statusOf,
} from './problem-response.js';
import { bytesOf, framedAs, readWhole } from './whole-body.js';

/** How often a request is sent again at most, whatever filters say. */
const MOST_REPEATS = 10;
/** How much of an answer that nobody wants is read, so that its connection can be kept. */
const MOST_SWALLOWED = 1 << 20;

/**
 * `filters`: they run, nothing was sent. `sent`: it is with the upstream. `over`: the client was answered otherwise, or
 * another exchange has taken over; what the upstream still says is not heard.
 */
type Phase = 'filters' | 'sent' | 'over';

/** A request on a route with filters. Routes without have the plain one, and pay nothing for this. */
export class FilteredExchange extends NodeExchange implements ExchangeCarrier, FilterRunner {
  repeats = 0;
  private known: GatewayExchange | undefined = undefined;
  private phase: Phase = 'filters';
  private hearing = false;
  private body: Buffer | undefined = undefined;
  private collected: AnswerBody | undefined = undefined;
  private copy: BodyCopy | undefined = undefined;
  private swallowed = 0;
  /** Whose place it took, and who took its. */
  private before: FilteredExchange | undefined = undefined;
  private next: FilteredExchange | undefined = undefined;

  get principal(): Principal | undefined {
    return this.visit?.principal;
  }

  get clientAddress(): string {
    return this.connection.address;
  }

  get clientProto(): 'http' | 'https' {
    return this.connection.proto;
  }

  get endpointAuthority(): string | undefined {
    return this.endpoint?.authority;
  }

  get repeatable(): boolean {
    return (!this.hasBody || this.body !== undefined) && !this.response.headersSent;
  }

  get undecided(): boolean {
    return this.phase === 'filters' && !this.done;
  }

  private get face(): GatewayExchange {
    return (this.known ??= new GatewayExchange(this));
  }

  /** Runs the filters, the last of which sends it on its way. */
  override start(): void {
    this.connection.add(this);
    const { filters } = this.route;
    if (filters) runFilters(filters, this.face, this);
    else this.proceed();
  }

  proceed(): void {
    if (!this.undecided) return;
    this.face.commit();
    this.phase = 'sent';
    if (this.body !== undefined) {
      this.lines = framedAs(this.lines, this.body.length);
      this.framing = this.body.length > 0 ? 'length' : 'none';
      this.hasBody = this.body.length > 0;
    }
    this.route.upstream.dispatch(this);
  }

  /** The time for all of it runs on with the first, also when it was sent again. */
  override refuse(status: ProblemStatus): void {
    if (this.next !== undefined) this.next.refuse(status);
    else super.refuse(status);
  }

  override abandon(): void {
    if (this.done) return;
    if (this.phase === 'sent') super.abandon();
    if (this.done) return;
    // Nothing is under way: filters run, wait to send it again, or make another body.
    this.phase = 'over';
    this.status = CLIENT_GONE;
    this.finish();
  }

  override onConnected(sink: RequestSink): void {
    if (this.body === undefined) return super.onConnected(sink);
    sink.write(this.body);
    sink.end();
  }

  override onInformation(status: number, rawHeaders: readonly string[]): void {
    if (this.phase === 'sent') super.onInformation(status, rawHeaders);
  }

  override onHead(status: number, rawHeaders: string[], source: ResponseSource): void {
    const response = { status, headers: new HeaderList(rawHeaders), fromUpstream: true };
    const { face, method } = this;
    const isWanted = this.hear(response);
    this.copy = face.takeCopy(this, isWanted);
    if (isWanted) this.collected = AnswerBody.of(face, method);
    if (isWanted && !this.collected) super.onHead(response.status, rawHeaders, source);
  }

  override onBody(chunk: Buffer): boolean {
    if (this.collected === undefined) this.copy?.add(chunk);
    if (this.phase === 'over') return this.swallow(chunk.length);
    if (this.collected === undefined) return super.onBody(chunk);
    if (!this.collected.add(chunk)) this.refuse(502);
    return true;
  }

  override onEnd(trailers: readonly string[] | undefined): void {
    const { collected } = this;
    if (collected === undefined) this.copy?.end();
    if (this.phase === 'over') return;
    if (collected === undefined) return super.onEnd(trailers);
    collected.made().then(
      (body) => {
        this.copy?.whole(body);
        return this.endWith(collected.response.status, collected.response.headers.raw, body);
      },
      (error: unknown) => {
        this.owner.onFilterFailed(this.route, error);
        this.fail(502);
      },
    );
  }

  override onError(error: UpstreamError): void {
    this.copy?.fail();
    if (this.phase === 'over') return;
    const open = !this.response.destroyed && !this.response.headersSent;
    const ours = this.problem !== undefined || error instanceof CallCancelledError;
    if (open && !ours && this.isTaken(error)) return;
    super.onError(error);
  }

  answer({ status, headers = {}, body }: Answer): void {
    if (this.done || this.response.headersSent) return;
    const { bytes, type } = bytesOf(body);
    const list = new HeaderList(type === undefined ? [] : ['content-type', type]);
    for (const [name, value] of Object.entries(headers)) list.set(name, value);
    this.leave();
    this.deliver({ status, headers: list, fromUpstream: false }, bytes);
  }

  readBody(most: number): Promise<Buffer> {
    if (this.body !== undefined) return Promise.resolve(this.body);
    const limit = this.bodyLimit > 0 ? Math.min(most, this.bodyLimit) : most;
    return readWhole(this.request, limit, this.deadlines.upload).then((body) => (this.body = body));
  }

  replaceBody(bytes: Buffer): void {
    if (this.undecided) this.body = bytes;
  }

  again({ route: id, delay = 0 }: Repetition): boolean {
    if (this.done || !this.repeatable || this.repeats >= MOST_REPEATS) return false;
    const route = id === undefined ? this.route : this.owner.routeOf(id);
    // A route that is its own way out would go round.
    if (route === undefined || (id !== undefined && id === this.route.id)) return false;
    const { request, response, connection, scope, owner } = this;
    const next = new FilteredExchange(request, response, route, connection, scope, owner);
    this.next = next;
    next.follow(this);
    this.leave();
    this.done = true;
    connection.remove(this);
    if (id === undefined) next.repeat(delay);
    else changeDoors(next, owner, () => next.start());
    return true;
  }

  onThrown(error: unknown): void {
    const { status, body, isFault } = problemOf(error, this.scope.correlationId);
    if (isFault) this.owner.onFilterFailed(this.route, error);
    if (this.done || this.response.headersSent) return;
    this.leave();
    this.endWith(status, [...PROBLEM_HEADERS], Buffer.from(body));
  }

  /** Filters hear of the gateway's own problems too, so that what is to be on every answer is. */
  protected override tell(status: ProblemStatus): void {
    const body = plainProblem(status, this.scope.correlationId);
    const headers = new HeaderList([...PROBLEM_HEADERS]);
    if (status === 503) headers.set('retry-after', '1');
    this.leave();
    this.deliver({ status, headers, fromUpstream: false }, Buffer.from(body));
  }

  protected override finish(): void {
    if (this.done) return;
    super.finish();
    if (this.collected !== undefined) this.copy?.fail();
    // A filter may have put another body, or none, in place of one that was never read.
    discardBody(this.request);
    for (let each = this.before; each !== undefined; each = each.before) each.clearDeadlines();
    this.known?.finished(this.status);
  }

  /** Takes the place of one that is to be sent again. */
  private follow(before: FilteredExchange): void {
    const { face } = before;
    face.flushHeaders();
    this.before = before;
    this.repeats = before.repeats + 1;
    this.known = face;
    face.carrier = this;
    face.response = undefined;
    takeOver(this, before);
    this.body = before.body;
  }

  private repeat(delay: number): void {
    this.connection.add(this);
    if (delay > 0) this.owner.after(delay, () => this.proceed());
    else this.proceed();
  }

  /** Nothing that the upstream says is heard any more. In an ear the answer runs out, else the call is given up. */
  private leave(): void {
    const isSent = this.phase === 'sent';
    this.phase = 'over';
    if (isSent && !this.hearing) this.route.upstream.cancel(this);
  }

  /** Lets the ears hear; false when the answer is not to be sent, because of one of them. */
  private hear(response: ExchangeResponse): boolean {
    this.hearing = true;
    this.face.response = undefined;
    try {
      return this.face.heard(response);
    } catch (error) {
      this.onThrown(error);
      return false;
    } finally {
      this.hearing = false;
    }
  }

  private isTaken(error: UpstreamError): boolean {
    this.hearing = true;
    try {
      return this.face.failed({ status: statusOf(error), error }) && this.phase === 'over';
    } catch (thrown) {
      this.onThrown(thrown);
      return true;
    } finally {
      this.hearing = false;
    }
  }

  private deliver(response: ExchangeResponse, body: Buffer): void {
    const wasHearing = this.hearing;
    try {
      if (!this.face.heard(response)) return;
    } catch (error) {
      return this.onThrown(error);
    } finally {
      this.hearing = wasHearing;
    }
    this.endWith(response.status, response.headers.raw, body);
  }

  private swallow(bytes: number): boolean {
    this.swallowed += bytes;
    if (this.swallowed > MOST_SWALLOWED) this.route.upstream.cancel(this);
    return true;
  }
}
