import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';
import type { Endpoint } from './endpoint.js';

/** When an endpoint that fails is left alone; times in ms. */
export interface OutlierSettings {
  /** How many failures in a row eject it; a connection that does not come about ejects it at once. */
  readonly consecutiveFailures: number;
  /** How long the first ejection takes; each further one takes twice as long. */
  readonly ejection: number;
  /** The longest an ejection takes. */
  readonly maxEjection: number;
  /** With more than this share of the reachable endpoints ejected, in percent, all of those are candidates again. */
  readonly maxEjected: number;
}

/**
 * Passive health: learns from the outcome of calls which endpoints to leave alone, as Envoy's outlier detection does.
 *
 * Some failures in a row eject an endpoint; when its time is over it is on probation, and the next outcome decides.
 * One that cannot be connected to is ejected at once: that is no matter of luck, and the registry may list a killed
 * instance until its time to live is over.
 */
export class OutlierDetector<E extends Endpoint> {
  private readonly sentences = new Map<E, () => void>();

  constructor(
    private readonly settings: OutlierSettings,
    private readonly clock: Clock,
    private readonly events: EventHub,
    /** Hears that some endpoint's state is another than before. */
    private readonly changed: () => void,
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
    endpoint.ejections = 0;
    this.changed();
    this.events.emit('endpoint.readmitted', { endpoint });
  }

  /** A call failed, and `endpoint.consecutiveFailures` says so already; `unreachable` if no connection came about. */
  failed(endpoint: E, unreachable: boolean): void {
    if (endpoint.state === 'ejected') return this.lose(endpoint, unreachable);
    const { consecutiveFailures, ejection, maxEjection } = this.settings;
    const enough = unreachable || endpoint.consecutiveFailures >= consecutiveFailures;
    if (endpoint.state === 'healthy' && !enough) return;
    const time = Math.min(maxEjection, ejection * 2 ** Math.min(endpoint.ejections, 30));
    endpoint.state = 'ejected';
    endpoint.unreachable = unreachable;
    endpoint.ejections++;
    this.sentences.set(
      endpoint,
      this.clock.after(time, () => this.parole(endpoint)),
    );
    this.changed();
    this.events.emit('endpoint.ejected', { endpoint, until: this.clock.wallTime() + time });
  }

  /** The endpoint is gone. */
  release(endpoint: E): void {
    this.sentences.get(endpoint)?.();
    this.sentences.delete(endpoint);
  }

  /** An endpoint that was ejected for its answers may die meanwhile. */
  private lose(endpoint: E, unreachable: boolean): void {
    if (!unreachable || endpoint.unreachable) return;
    endpoint.unreachable = true;
    this.changed();
  }

  private parole(endpoint: E): void {
    this.sentences.delete(endpoint);
    endpoint.state = 'probation';
    this.changed();
  }
}
