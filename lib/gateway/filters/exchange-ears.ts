import type { GatewayExchange } from './gateway-exchange.js';
import type { HeaderList } from './header-list.js';

/** An answer given in place of the upstream's. */
export interface Answer {
  readonly status: number;
  /** Names and values; the length is added. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** A text, bytes, or anything else as JSON. @default empty */
  readonly body?: unknown;
}

/** The head of an answer before it is sent; what is changed here is what the client sees. */
export interface ExchangeResponse {
  status: number;
  readonly headers: HeaderList;
  readonly fromUpstream: boolean;
}

/** Why no answer came: the status that the client is about to hear, and the error. */
export interface ExchangeFailure {
  readonly status: number;
  readonly error: Error;
}

/** Hears of an answer's head before it is sent; `exchange.response` is there now. */
export type ResponseEar = (exchange: GatewayExchange) => void;

/** Hears that no answer came; true when it has answered or sent the request on. */
export type FailureEar = (exchange: GatewayExchange, failure: ExchangeFailure) => boolean;

/** Hears that all is over: the status that the client was answered, 499 when it left before. */
export type FinishedEar = (exchange: GatewayExchange, status: number) => void;

/** Makes another body of a whole one; the headers of the answer may still be changed. */
export type BodyTransform = (body: Buffer, exchange: GatewayExchange) => Buffer | Promise<Buffer>;

/** How a request is sent once more. */
export interface Repetition {
  /** The id of another route, whose filters then run as well; its path and rewrite do not. @default its own */
  readonly route?: string;
  /** How long to wait before, in ms. @default 0 */
  readonly delay?: number;
}

/** Hears the whole body of an answer as the client gets it; undefined when it was cut off, or too large to be copied. */
export type BodyEar = (body: Buffer | undefined, isTooLarge: boolean) => void;
