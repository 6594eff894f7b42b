import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';
import type { Endpoint } from './endpoint.js';
import type { EjectionReason } from './load-balancing.events.js';

/** When an endpoint that fails is left alone; times in ms, shares in percent. */
export interface OutlierSettings {
  /** How many failures in a row eject it; a connection that does not come about ejects it at once. */
  readonly consecutiveFailures: number;
  /** How much more of its calls than of its peers' must fail to eject it; 0 is never. */
  readonly failureRate: number;
  /** How many times longer than its fastest peer its calls must take to eject it; 0 is never. */
  readonly latencyFactor: number;
  /** How many calls it must have had of late before a rate or a latency says anything. */
  readonly minimumCalls: number;
  /** How far back calls are counted. */
  readonly window: number;
  /** How long the first ejection takes; each further one takes twice as long. */
  readonly ejection: number;
  /** The longest an ejection takes. */
  readonly maxEjection: number;
  /** With more than this share of the reachable endpoints ejected, in percent, all of those are candidates again. */
  readonly maxEjected: number;
}

/** Latencies below so many ms are too short to be called slow beside others. */
const FAST = 100;

/**
 * Passive health: learns from the outcome of calls which endpoints to leave alone, as Envoy's outlier detection does.
 *
 * Failures in a row, or many more failures than its peers have, eject an endpoint; when its time is over it is on probation,
 * and the next outcome decides. One that cannot be connected to is ejected at once: that is no matter of luck, and the
 * registry may list a killed instance until its time to live is over.
 */
export class OutlierDetector<E extends Endpoint> {
  private readonly sentences = new Map<E, () => void>();
  /** Until when each one's ejections are held against it. */
  private readonly records = new WeakMap<E, number>();

  constructor(
    private readonly settings: OutlierSettings,
    private readonly clock: Clock,
    private readonly events: EventHub,
    /** Hears that some endpoint's state is another than before. */
    private readonly changed: (endpoint: E) => void,
  ) {}

  /**
   * Whether so many of so many endpoints are ejected that the fault is probably not theirs.
   *
   * Panic keeps the few that are left from being overrun. Unreachable ones do not count: they take no load off anyone.
   */
  panics(ejected: number, reachable: number): boolean {
    return ejected * 100 > this.settings.maxEjected * reachable;
  }

  /** A call ended well. While all are candidates, a success proves an ejected endpoint well again. */
  succeeded(endpoint: E, panicking: boolean): void {
    if (endpoint.state === 'ejected' && !panicking) return;
    this.release(endpoint);
    endpoint.state = 'healthy';
    endpoint.unreachable = false;
    // One that fails half of its calls passes half of its probations: only time clears its name.
    this.records.set(endpoint, this.clock.now() + this.timeFor(endpoint.ejections - 1));
    endpoint.calls = endpoint.failures = 0;
    this.changed(endpoint);
    this.events.emit('endpoint.readmitted', { endpoint });
  }

  /** A call failed, and the endpoint's counts say so already; `unreachable` if no connection came about. */
  failed(endpoint: E, unreachable: boolean, peers: readonly E[]): void {
    if (endpoint.state === 'ejected') return this.lose(endpoint, unreachable);
    const reason = this.reasonFor(endpoint, unreachable, peers);
    if (reason !== undefined) this.eject(endpoint, reason);
  }

  /** A call of a healthy endpoint ended well, but its latency may be out of all proportion. */
  slowed(endpoint: E, peers: readonly E[]): void {
    const { latencyFactor, minimumCalls } = this.settings;
    if (endpoint.calls < minimumCalls || endpoint.latency < FAST) return;
    let fastest = Number.POSITIVE_INFINITY;
    for (const peer of peers) {
      if (peer !== endpoint && peer.latency > 0) fastest = Math.min(fastest, peer.latency);
    }
    if (endpoint.latency >= fastest * latencyFactor) this.eject(endpoint, 'latency');
  }

  /** Whether latencies are looked at. */
  get comparesLatency(): boolean {
    return this.settings.latencyFactor > 0;
  }

  /** Forgets calls that are too long ago; every failure begins with it. */
  roll(endpoint: E): void {
    const now = this.clock.now();
    const { window } = this.settings;
    const age = now - endpoint.countedSince;
    if (age < window) return;
    const keep = age < 2 * window ? 0.5 : 0;
    endpoint.calls *= keep;
    endpoint.failures *= keep;
    endpoint.countedSince = now;
  }

  /** The endpoint is gone. */
  release(endpoint: E): void {
    this.sentences.get(endpoint)?.();
    this.sentences.delete(endpoint);
  }

  private reasonFor(
    endpoint: E,
    unreachable: boolean,
    peers: readonly E[],
  ): EjectionReason | undefined {
    if (unreachable) return 'unreachable';
    if (endpoint.state === 'probation') return 'probation';
    if (endpoint.consecutiveFailures >= this.settings.consecutiveFailures) return 'consecutive';
    return this.failsMore(endpoint, peers) ? 'failure-rate' : undefined;
  }

  private failsMore(endpoint: E, peers: readonly E[]): boolean {
    const { failureRate, minimumCalls } = this.settings;
    if (failureRate === 0 || endpoint.calls < minimumCalls) return false;
    let calls = 0;
    let failures = 0;
    for (const peer of peers) {
      if (peer === endpoint || peer.state !== 'healthy') continue;
      calls += peer.calls;
      failures += peer.failures;
    }
    const usual = calls === 0 ? 0 : failures / calls;
    return endpoint.failures / endpoint.calls - usual >= failureRate / 100;
  }

  private eject(endpoint: E, reason: EjectionReason): void {
    if (endpoint.state === 'healthy' && (this.records.get(endpoint) ?? 0) <= this.clock.now()) {
      endpoint.ejections = 0;
    }
    const time = this.timeFor(endpoint.ejections);
    endpoint.state = 'ejected';
    endpoint.unreachable = reason === 'unreachable';
    endpoint.ejections++;
    this.sentences.set(
      endpoint,
      this.clock.after(time, () => this.parole(endpoint)),
    );
    this.changed(endpoint);
    this.events.emit('endpoint.ejected', { endpoint, until: this.clock.wallTime() + time, reason });
  }

  private timeFor(ejections: number): number {
    const { ejection, maxEjection } = this.settings;
    return Math.min(maxEjection, ejection * 2 ** Math.max(0, Math.min(ejections, 30)));
  }

  /** An endpoint that was ejected for its answers may die meanwhile. */
  private lose(endpoint: E, unreachable: boolean): void {
    if (!unreachable || endpoint.unreachable) return;
    endpoint.unreachable = true;
    this.changed(endpoint);
  }

  private parole(endpoint: E): void {
    this.sentences.delete(endpoint);
    endpoint.state = 'probation';
    this.changed(endpoint);
  }
}
