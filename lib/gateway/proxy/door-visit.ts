import type { Socket } from 'node:net';
import type { Principal } from '../../security/principal.js';
import { clientAddress } from '../door/client-address.js';
import type { Verdict } from '../door/door-step.js';
import type { RateLimitNote } from '../door/rate-limit-note.js';
import { type Refusal, refusalAnswer } from '../door/refusal.js';
import type { RouteDoor } from '../door/route-door.js';
import type { Visit } from '../door/visit.js';
import type { Exchange } from './exchange.js';

/** What a visit asks of its surroundings. */
export interface DoorVisitParts {
  readonly exchange: Exchange;
  readonly door: RouteDoor;
  readonly rawHeaders: readonly string[];
  /** The canonical public path. */
  readonly path: string;
  readonly proxies: Parameters<typeof clientAddress>[2];
  /** Is told that it was not let in. */
  readonly onRefused: (exchange: Exchange, refusal: Refusal, clientAddress: string) => void;
  /** Is told that a step failed by itself; its request is answered 500. */
  readonly onFailed: (error: unknown) => void;
}

/** A request at the door of its route: it goes on when the door lets it in, and is answered here when not. */
export class DoorVisit implements Visit {
  principal: Principal | undefined = undefined;
  limits: RateLimitNote | undefined = undefined;
  private known: string | undefined = undefined;

  constructor(private readonly parts: DoorVisitParts) {}

  get method(): string {
    return this.parts.exchange.method;
  }

  get path(): string {
    return this.parts.path;
  }

  get rawHeaders(): readonly string[] {
    return this.parts.rawHeaders;
  }

  get socket(): Socket {
    return this.parts.exchange.socket;
  }

  get clientAddress(): string {
    const { exchange, proxies } = this.parts;
    return (this.known ??= clientAddress(exchange.connection.address, this.rawHeaders, proxies));
  }

  get lines(): string {
    return this.parts.exchange.lines;
  }

  set lines(lines: string) {
    this.parts.exchange.lines = lines;
  }

  /** Asks the door, and does what follows when it is let in. */
  enter(proceed: () => void): void {
    const { exchange, door } = this.parts;
    exchange.visit = this;
    try {
      const verdict = door.enter(this);
      if (!(verdict instanceof Promise)) return this.settle(verdict, proceed);
      // A client may leave while it waits; one that wants a tunnel is watched already.
      if (!exchange.upgrades) exchange.connection.add(exchange);
      void this.wait(verdict, proceed);
    } catch (error) {
      this.fail(error);
    }
  }

  dress(rawHeaders: string[]): void {
    this.parts.door.dress(this, rawHeaders);
  }

  left(): void {
    this.parts.door.left(this);
  }

  private async wait(asked: Promise<Verdict>, proceed: () => void): Promise<void> {
    const { exchange } = this.parts;
    try {
      const verdict = await asked;
      if (this.isStill(exchange)) this.settle(verdict, proceed);
    } catch (error) {
      if (this.isStill(exchange)) this.fail(error);
    }
  }

  /** Whether its client is still there; it is watched anew when it goes on. */
  private isStill(exchange: Exchange): boolean {
    if (exchange.done) return false;
    if (!exchange.upgrades) exchange.connection.remove(exchange);
    return true;
  }

  private settle(verdict: Verdict, proceed: () => void): void {
    if (verdict === undefined) proceed();
    else this.refuse(verdict);
  }

  private fail(error: unknown): void {
    this.parts.onFailed(error);
    this.refuse({ status: 500, headers: [], reason: 'a step of its door failed' });
  }

  private refuse(refusal: Refusal): void {
    const { exchange } = this.parts;
    const { headers, body } = refusalAnswer(refusal, exchange.scope.correlationId);
    exchange.endWith(refusal.status, headers, body);
    if (!refusal.plain) this.parts.onRefused(exchange, refusal, this.clientAddress);
  }
}
