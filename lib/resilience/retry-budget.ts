/** So many calls may be sent again before any share of others was saved up, so that a seldom called service has a chance. */
const RESERVE = 30;

/**
 * How many calls may be sent again: a share of all, as in Finagle and gRPC, so that retries cannot bury a service that
 * fails because it has too much to do.
 *
 * A try whose connection broke, or of which nothing was sent, needs none of it: that is no sign of load.
 */
export class RetryBudget {
  private saved = RESERVE;

  /** @param share the retries for each call, from 0 to 1 */
  constructor(private readonly share: number) {}

  /** A call was made. */
  deposit(): void {
    const saved = this.saved + this.share;
    this.saved = saved < RESERVE ? saved : RESERVE;
  }

  /** Whether one more call may be sent again; if so, it is counted. */
  take(): boolean {
    if (this.saved < 1) return false;
    this.saved--;
    return true;
  }

  /** Whether `take` would say yes. */
  get left(): boolean {
    return this.saved >= 1;
  }
}
