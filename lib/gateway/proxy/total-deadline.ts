import { Deadline } from '../../upstream/deadline-list.js';
import type { Exchange } from './exchange.js';

/** The time for all of a request. */
export class TotalDeadline extends Deadline {
  constructor(private readonly exchange: Exchange) {
    super();
    const { timeouts, upstream } = exchange.route;
    upstream.deadlines.set(this, timeouts.total, upstream.deadlines.coarseNow);
  }

  clear(): void {
    this.exchange.route.upstream.deadlines.clear(this);
  }

  override expire(): void {
    this.exchange.refuse(504);
  }
}
