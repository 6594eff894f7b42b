import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';
import { Circuit } from './circuit.js';
import type { Circuits } from './circuits.js';
import { BulkheadPolicy } from './policies/bulkhead.policy.js';
import { CachePolicy } from './policies/cache.policy.js';
import {
  type CircuitBreakerPolicy,
  type CircuitBreakers,
  type OpossumBreaker,
} from './policies/circuit-breaker.policy.js';
import { FallbackPolicy } from './policies/fallback.policy.js';
import type { Policy, PolicyCall, Run } from './policies/policy.js';
import { RateLimiterPolicy } from './policies/rate-limiter.policy.js';
import { RetryPolicy } from './policies/retry.policy.js';
import { TimeoutPolicy } from './policies/timeout.policy.js';
import { PolicyEvents } from './policy-events.js';
import type { PolicySettings } from './policy.options.js';

/** What every pipeline of an application shares. */
export interface PipelineParts {
  readonly clock: Clock;
  readonly hub: EventHub;
  readonly circuits: Circuits;
  readonly breakers: CircuitBreakers;
}

/** The policies of one name in their fixed order, from the outside in. */
export class Pipeline {
  /** Runs a call by all of them. */
  readonly run: Run;
  readonly events: PolicyEvents;
  readonly circuit: Circuit | undefined;
  private readonly policies: readonly Policy[];
  private readonly breaking: CircuitBreakerPolicy | undefined;

  constructor(
    readonly name: string,
    readonly settings: PolicySettings,
    private readonly parts: PipelineParts,
  ) {
    this.events = new PolicyEvents(name, parts.hub);
    const { circuit: options, ignore } = settings;
    if (options) {
      this.circuit = new Circuit(name, options, parts.clock, parts.hub);
      this.breaking = parts.breakers.make(this.circuit, this.events, ignore);
      parts.circuits.add(this.circuit);
    }
    this.policies = this.inOrder();
    this.run = this.policies.reduceRight<Run>((next, policy) => policy.wrap(next), start);
  }

  /** opossum's breaker, for tools that read its events and figures; undefined without a circuit. */
  get opossum(): OpossumBreaker | undefined {
    return this.breaking?.breaker;
  }

  /** Nothing more of it is needed; calls under way end by themselves. */
  close(): void {
    for (const policy of this.policies) policy.close();
    if (this.circuit) this.parts.circuits.remove(this.circuit);
  }

  private inOrder(): readonly Policy[] {
    const { events } = this;
    const { clock } = this.parts;
    const { cache, rateLimit, bulkhead, timeout, retry } = this.settings;
    const { total, attempt } = timeout;
    return [
      new FallbackPolicy(events),
      cache && new CachePolicy(clock, cache),
      rateLimit && new RateLimiterPolicy(events, clock, rateLimit),
      bulkhead && new BulkheadPolicy(events, clock, bulkhead),
      total > 0 && new TimeoutPolicy(events, clock, total, 'total'),
      retry && new RetryPolicy(events, clock, retry),
      this.breaking,
      attempt > 0 && new TimeoutPolicy(events, clock, attempt, 'attempt'),
    ].filter((policy) => policy !== undefined && policy !== false);
  }
}

/** A signal that never aborts is made for no call. */
const NEVER = new AbortController().signal;

async function start({ task, signal = NEVER }: PolicyCall): Promise<unknown> {
  return task({ signal });
}
