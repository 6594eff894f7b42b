import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';
import type { Endpoint } from './endpoint.js';

/** When an endpoint that fails is left alone; times in ms. */
export interface OutlierSettings {
  /** How many failures in a row eject it. */
  readonly consecutiveFailures: number;
  /** How long the first ejection takes; each further one takes twice as long. */
  readonly ejection: number;
  /** The longest an ejection takes. */
  readonly maxEjection: number;
  /** With more than this share of the endpoints ejected, in percent, all of them are candidates again. */
  readonly maxEjected: number;
}

/**
 * Passive health: learns from the outcome of calls which endpoints to leave alone, as Envoy's outlier detection does.
 *
 * Some failures in a row eject an endpoint; when its time is over it is on probation, and the next outcome decides.
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

  /** Whether so many of so many endpoints are ejected that the fault is probably not theirs. */
  panics(ejected: number, known: number): boolean {
    return ejected * 100 > this.settings.maxEjected * known;
  }

  /** A call ended well. While all are candidates, a success proves an ejected endpoint well again. */
  succeeded(endpoint: E, panicking: boolean): void {
    if (endpoint.state === 'ejected' && !panicking) return;
    this.release(endpoint);
    endpoint.state = 'healthy';
    endpoint.ejections = 0;
    this.changed();
    this.events.emit('endpoint.readmitted', { endpoint });
  }

  /** A call failed, and `endpoint.consecutiveFailures` says so already. */
  failed(endpoint: E): void {
    if (endpoint.state === 'ejected') return;
    const { consecutiveFailures, ejection, maxEjection } = this.settings;
    if (endpoint.state === 'healthy' && endpoint.consecutiveFailures < consecutiveFailures) return;
    const time = Math.min(maxEjection, ejection * 2 ** Math.min(endpoint.ejections, 30));
    endpoint.state = 'ejected';
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

  private parole(endpoint: E): void {
    this.sentences.delete(endpoint);
    endpoint.state = 'probation';
    this.changed();
  }
}
