import type { Socket } from 'node:net';
import type { ServiceInstance } from '../discovery/service-instance.js';
import { Deadline } from './deadline-list.js';
import type { UpstreamError } from './upstream.errors.js';

/** What an attempt travels on: a connection, while it is the attempt's own. */
export interface Carrier {
  /** Sends bytes of the request body as they are; false asks to wait for `Attempt.onDrain`. */
  write(chunk: Buffer | string): boolean;
  /** The request body is complete. */
  end(): void;
  /** Goes on reading after `Attempt.onBody` returned false. */
  resume(): void;
  /** Gives up; the attempt hears nothing more. */
  abort(): void;
}

/** One attempt at a call, as a transport sees it: what to send, and the ears for what becomes of it. */
export abstract class Attempt extends Deadline {
  abstract readonly method: string;
  abstract readonly hasBody: boolean;

  /** Whether an answer of 101 makes its connection a tunnel. */
  abstract readonly upgrades: boolean;

  /** Whether it should not travel on a connection that was used before, if that can be helped. */
  abstract readonly wantsFresh: boolean;

  /** When it began, in ms of the clock. */
  abstract readonly startedAt: number;

  /** The request line and headers with the empty line behind them, as latin1. */
  abstract head(): string;

  /** It waits for a connection. */
  abstract onQueued(): void;

  /** A connection is being made for it. */
  abstract onConnecting(carrier: Carrier): void;

  /** Its head is on the wire. */
  abstract onSent(carrier: Carrier, reused: boolean): void;

  /** The carrier that said false takes bytes again. */
  abstract onDrain(): void;

  abstract onInformation(status: number, rawHeaders: string[]): void;
  abstract onHead(status: number, rawHeaders: string[]): void;

  /** False asks to stop reading until `Carrier.resume`. */
  abstract onBody(chunk: Buffer): boolean;

  /**
   * The answer was 101: the socket is the attempt's own from here on, paused, and nothing listens to it any more.
   *
   * @param early bytes of the other protocol that came with the head
   */
  abstract onUpgrade(rawHeaders: string[], socket: Socket, early: Buffer): void;

  /** The answer was whole; the carrier is no longer its own. */
  abstract onEnd(trailers: string[] | undefined): void;

  /**
   * It failed; the carrier is no longer its own.
   *
   * @param received whether any byte of an answer had come
   */
  abstract onFailure(error: UpstreamError, received: boolean): void;
}

/** How a channel is. */
export interface ChannelFigures {
  /** How many connections there are. */
  readonly connections: number;
  /** How many of them are idle. */
  readonly idle: number;
  /** How many attempts wait for one. */
  readonly queued: number;
  /** When the certificate that the endpoint showed last ends, in ms since 1970; absent without TLS. */
  readonly certificateExpiry?: number;
}

const UNKNOWN: ChannelFigures = { connections: 0, idle: 0, queued: 0 };

/** The connections to one endpoint. */
export abstract class Channel {
  /** How it is now; a transport that cannot tell says nothing. */
  get figures(): ChannelFigures {
    return UNKNOWN;
  }

  /** Sends an attempt, at once or when a connection is free. Its callbacks may come before this returns. */
  abstract send(attempt: Attempt): void;

  /** Takes back an attempt that waits for a connection. */
  abstract withdraw(attempt: Attempt): void;

  /** Closes what is idle now, and the rest as it becomes idle. */
  abstract retire(): void;

  /** Closes everything at once; what is under way fails. */
  abstract close(): void;
}

/** How many calls wait for a connection, over all endpoints of an upstream, and how many may. */
export class WaitingCalls {
  count = 0;

  constructor(readonly most: number) {}
}

/** Whom to trust, and who we are, where an endpoint speaks TLS; all in PEM. */
export interface TlsIdentity {
  /** The certificates to trust instead of the well-known ones. */
  readonly ca?: string | undefined;
  /** Our own certificate, where the service asks for one. */
  readonly cert?: string | undefined;
  /** Its private key. */
  readonly key?: string | undefined;
}

/** What a channel is made for. */
export interface ChannelOptions {
  /** The service's name, for sentences. */
  readonly service: string;
  readonly instance: Pick<ServiceInstance, 'host' | 'port' | 'scheme'>;
  /** The most connections at a time. */
  readonly connections: number;
  /** How long an idle connection is kept, in ms. */
  readonly keepAlive: number;
  readonly waiting: WaitingCalls;
  readonly tls: TlsIdentity;
}

/** How calls reach endpoints. */
export abstract class Transport {
  abstract open(options: ChannelOptions): Channel;
}
