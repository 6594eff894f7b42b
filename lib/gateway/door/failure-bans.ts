import type { Clock } from '../../common/clock.js';
import { BoundedTable } from '../../security/rate-limits/bounded-table.js';
import type { RateLimiter } from '../../security/rate-limits/rate-limiter.js';
import { networkKey } from '../../security/rate-limits/network-key.js';
import type { Refusal } from './refusal.js';
import type { Visit } from './visit.js';

/** What bans are made of; times in ms. */
export interface FailureBansParts {
  readonly limiter: RateLimiter;
  readonly banFor: number;
  readonly clock: Clock;
  /** Is told that an address was banned. */
  readonly onBan: (address: string) => void;
}

/** The most addresses that are banned at a time. */
const MOST = 100_000;

/**
 * Keeps out addresses whose credentials were refused too often, before anything is checked for them.
 *
 * Where limits are shared, all gateways count together, and each bans with the next failure that it sees itself.
 */
export class FailureBans {
  private readonly until = new BoundedTable<number>(MOST);

  constructor(private readonly parts: FailureBansParts) {}

  /** What a banned client hears; undefined for all others. */
  refuse({ clientAddress }: Visit): Refusal | undefined {
    const until = this.until.get(networkKey(clientAddress));
    const left = (until ?? 0) - this.parts.clock.now();
    if (left <= 0) return undefined;
    const wait = String(Math.ceil(left / 1_000));
    return { status: 429, headers: ['retry-after', wait], reason: 'its address is banned' };
  }

  /** A client's credentials were refused. */
  failed({ clientAddress }: Visit): void {
    const key = networkKey(clientAddress);
    const decision = this.parts.limiter.take(key, 1);
    if (decision instanceof Promise) {
      // Whether the counts can be asked now is not the client's affair.
      void decision.then(
        ({ allowed }) => this.settle(key, allowed),
        () => {},
      );
    } else this.settle(key, decision.allowed);
  }

  private settle(key: string, allowed: boolean): void {
    if (allowed) return;
    this.until.set(key, this.parts.clock.now() + this.parts.banFor);
    this.parts.onBan(key);
  }
}
