import type { Socket } from 'node:net';
import type { Deadlines } from './deadline-list.js';
import type { Attempt } from './transport.js';
import type { UpstreamError } from './upstream.errors.js';

/** How long each part of a call may take, in ms; 0 is for ever. */
export interface CallTimeouts {
  readonly connect: number;
  readonly response: number;
  readonly idle: number;
}

/** Who makes attempts and decides what becomes of them. */
export interface AttemptOwner<A extends Attempt> {
  readonly name: string;
  readonly timeouts: CallTimeouts;
  readonly deadlines: Deadlines;
  /** The time, in ms. */
  now(): number;
  /** It has waited for its connection since a time. */
  onWaited(stage: 'queue' | 'connect', since: number): void;
  /** How long an endpoint may be silent before `onSilence`, in ms; 0 is for ever. */
  readonly patience: number;
  /** An answer of 500 or more has come: true if it is thrown away, and the call tried elsewhere. */
  onRejected(attempt: A, status: number, rawHeaders: readonly string[]): boolean;
  /** Nothing came for a while: true if the call is tried elsewhere. */
  onSilence(attempt: A): boolean;
  /** The answer's head has come. */
  onAnswered(attempt: A, rawHeaders: string[]): void;
  /** The connection has become a tunnel. */
  onUpgraded(attempt: A, socket: Socket): void;
  /** The answer is complete. */
  onCompleted(attempt: A): void;
  /** This try failed. */
  onFailed(attempt: A, error: UpstreamError): void;
}
