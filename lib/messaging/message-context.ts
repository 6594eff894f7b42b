import { Injectable } from '@nestjs/common';
import type { ClientProxy, ReadPacket } from '@nestjs/microservices';
import { DEADLINE_HEADER, grantedOf, RequestContext } from '../common/request-context.js';

/** The headers of a NATS message, as `headers()` of its package makes them. */
export interface MessageHeaders {
  has(name: string): boolean;
  set(name: string, value: string): void;
}

/** How the transport of a client carries headers. */
export interface CarryOptions {
  /** For NATS, which drops what it does not know: `headers` of `@nats-io/transport-node`. */
  readonly headers?: () => MessageHeaders;
}

/** A serializer as Nest's clients have it. */
interface Serializer {
  serialize(packet: ReadPacket, options?: unknown): unknown;
}

/** What NATS is given in place of data alone; Nest's `NatsRecord` has this shape. */
interface NatsData {
  readonly headers?: MessageHeaders;
}

/**
 * Lets the messages of Nest's own clients carry what calls over HTTP carry: trace, correlation id and the time left.
 * `MessageContextInterceptor` reads them on the other side. The clients of `@InjectClient` need neither.
 *
 * @example
 * constructor(@Inject('EVENTS') events: ClientProxy, carrier: MessageContext) {
 *   this.events = carrier.attach(events);
 * }
 */
@Injectable()
export class MessageContext {
  constructor(private readonly context: RequestContext) {}

  /** What a message should carry now; nothing outside of a request. An event has no deadline: nobody waits for it. */
  outgoing(isEvent = false): Readonly<Record<string, string>> {
    return this.withDeadline(this.context.outgoing(), isEvent);
  }

  /** The same for a message that goes now; where traces are recorded, its sending is a step. */
  sending(service: string, isEvent: boolean): Readonly<Record<string, string>> {
    const attributes = { 'messaging.destination.name': service };
    return this.withDeadline(this.context.sending(`send ${service}`, attributes), isEvent);
  }

  /** How many ms the caller of the current request still waits; `undefined` when it has not said. */
  get timeLeft(): number | undefined {
    return this.context.timeLeft;
  }

  /** Lets a client of Redis, NATS or any other transport of Nest carry the context; returns the client. */
  attach<C extends ClientProxy>(client: C, options: CarryOptions = {}): C {
    const owner = client as unknown as { serializer: Serializer };
    const { serializer } = owner;
    owner.serializer = {
      serialize: (packet, more) => serializer.serialize(this.carried(packet, options), more),
    };
    return client;
  }

  private withDeadline(outgoing: Readonly<Record<string, string>>, isEvent: boolean) {
    const left = isEvent ? undefined : this.timeLeft;
    return left === undefined
      ? outgoing
      : { ...outgoing, [DEADLINE_HEADER]: String(grantedOf(left)) };
  }

  private carried(packet: ReadPacket, { headers }: CarryOptions): ReadPacket {
    // A message that is answered has an id by now; an event has none.
    const outgoing = this.outgoing(!('id' in packet));
    if (!('traceparent' in outgoing)) return packet;
    if (!headers) return { ...packet, metadata: { ...outgoing, ...packet.metadata } };
    const own = (packet.data as NatsData | undefined)?.headers;
    const target = isHeaders(own) ? own : headers();
    for (const [name, value] of Object.entries(outgoing)) {
      if (!target.has(name)) target.set(name, value);
    }
    return own === target ? packet : Object.assign({}, packet, { headers: target });
  }
}

function isHeaders(value: unknown): value is MessageHeaders {
  return typeof value === 'object' && value !== null && 'has' in value && 'set' in value;
}
