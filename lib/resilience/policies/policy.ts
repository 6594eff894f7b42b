/** What a protected function is told of its call. */
export interface PolicyContext {
  /** Aborts when the call is not waited for any longer: its time is over, or its caller gave up. */
  readonly signal: AbortSignal;
}

/** One call on its way through the policies. */
export interface PolicyCall {
  readonly task: (context: PolicyContext) => unknown;
  /** Of the caller, then of each time-out that encloses the task; undefined while there is none. */
  readonly signal: AbortSignal | undefined;
  /** What tells calls apart for the cache; undefined for one that is not cached. */
  readonly key: string | undefined;
  /** What to do instead when it fails. */
  readonly fallback: ((cause: unknown) => unknown) | undefined;
  /** When it must be over, in ms of the clock. */
  readonly deadline: number;
}

/** Runs a call, or what is left of it behind a policy. */
export type Run = (call: PolicyCall) => Promise<unknown>;

/** A rule that a call is made by. */
export abstract class Policy {
  /** Runs the call behind it by its rule. */
  abstract wrap(next: Run): Run;

  /** Nothing more of it is needed. */
  close(): void {}
}
