/** The head of a request as it came; Node's `IncomingMessage` is one. */
export interface RequestHead {
  readonly method?: string | undefined;
  /** The target of the request line. */
  readonly url?: string | undefined;
  /** Alternating names and values, latin1. */
  readonly rawHeaders: readonly string[];
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
}
