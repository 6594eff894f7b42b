import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';
import type { ServiceInstance } from '../discovery/service-instance.js';
import { Endpoint } from './endpoint.js';
import type { LoadBalancingStrategy } from './load-balancing-strategy.js';
import { OutlierDetector, type OutlierSettings } from './outlier-detector.js';

/** How a call ended for its endpoint: `unreachable` if no connection came about, `cancelled` says nothing of its health. */
export type CallOutcome = 'success' | 'failure' | 'unreachable' | 'cancelled';

export interface LoadBalancerOptions<E extends Endpoint> {
  readonly clock: Clock;
  readonly events: EventHub;
  readonly strategy: LoadBalancingStrategy;
  /** Makes the endpoint of an instance that was not known before. */
  readonly create: (instance: ServiceInstance) => E;
  /** Leave it out, and no endpoint is ever ejected. */
  readonly outlier?: OutlierSettings | undefined;
  /** Hears that a new snapshot was taken. */
  readonly onUpdate?: (() => void) | undefined;
}

/** How much of a new latency goes into the smoothed one. */
const SMOOTHING = 0.1;

/**
 * Chooses endpoints of one service, and learns from how the calls went.
 *
 * Every `pick` wants its `complete`. What changes is computed when it changes, so that `pick` never filters.
 */
export class LoadBalancer<E extends Endpoint> {
  private readonly known = new Map<string, E>();
  private readonly detector: OutlierDetector<E> | undefined;
  private serving: readonly E[] = [];
  private trusted: readonly E[] = [];
  private reachable: readonly E[] = [];
  private onProbation: readonly E[] = [];
  private choice: readonly E[] = [];
  private informed = false;

  constructor(private readonly options: LoadBalancerOptions<E>) {
    const { outlier, clock, events } = options;
    this.detector = outlier && new OutlierDetector(outlier, clock, events, () => this.publish());
  }

  /** Those that `pick` chooses from; a whole new array whenever it changes. */
  get candidates(): readonly E[] {
    return this.choice;
  }

  /** Whether a snapshot has come yet. */
  get ready(): boolean {
    return this.informed;
  }

  /** All endpoints, whatever their state. */
  get endpoints(): readonly E[] {
    return [...this.known.values()];
  }

  /**
   * Takes a new snapshot of the service.
   *
   * @param all every registered instance; its endpoint lives on, figures and all
   * @param taking those of them that take traffic
   */
  update(all: readonly ServiceInstance[], taking: readonly ServiceInstance[] = all): void {
    const gone = new Map(this.known);
    for (const instance of all) {
      const endpoint = this.known.get(instance.id);
      if (endpoint && sameAddress(endpoint.instance, instance)) {
        endpoint.instance = instance;
        gone.delete(instance.id);
      } else {
        this.known.set(instance.id, this.options.create(instance));
      }
    }
    this.serving = taking.flatMap((instance) => this.known.get(instance.id) ?? []);
    for (const [id, endpoint] of gone) {
      if (this.known.get(id) === endpoint) this.known.delete(id);
      this.detector?.release(endpoint);
    }
    this.informed = true;
    this.publish();
    for (const endpoint of gone.values()) endpoint.retire();
    this.options.onUpdate?.();
  }

  /**
   * Chooses an endpoint for a call, or `undefined` when there is none; it counts as under way until `complete`.
   *
   * @param accepts restricts the choice, at the price of a filter
   * @param excluded what this call has tried already; a further try prefers endpoints that are trusted
   */
  pick(accepts?: (endpoint: E) => boolean, excluded?: E | readonly E[]): E | undefined {
    const chosen =
      accepts === undefined && excluded === undefined
        ? (this.probe() ?? this.choose(this.choice))
        : this.restricted(accepts, excluded);
    if (chosen !== undefined) chosen.active++;
    return chosen;
  }

  /** Takes the outcome of a picked call; `elapsed` in ms. */
  complete(endpoint: E, outcome: CallOutcome, elapsed: number): void {
    endpoint.active--;
    if (outcome === 'cancelled') return;
    if (outcome === 'success') {
      endpoint.consecutiveFailures = 0;
      endpoint.latency += (elapsed - endpoint.latency) * (endpoint.latency === 0 ? 1 : SMOOTHING);
      if (endpoint.state !== 'healthy' && this.isKnown(endpoint)) {
        this.detector?.succeeded(endpoint, this.choice.includes(endpoint));
      }
      return;
    }
    endpoint.consecutiveFailures++;
    // The only endpoint is better than none, however often it fails.
    if (this.serving.length > 1 && this.isKnown(endpoint)) {
      this.detector?.failed(endpoint, outcome === 'unreachable');
    }
  }

  /** Lets go of every endpoint. */
  close(): void {
    this.update([]);
  }

  private isKnown(endpoint: E): boolean {
    return this.known.get(endpoint.instance.id) === endpoint;
  }

  /** An endpoint on probation gets one call at a time, the next one. */
  private probe(): E | undefined {
    if (this.onProbation.length === 0) return undefined;
    return this.onProbation.find((endpoint) => endpoint.active === 0);
  }

  private choose(candidates: readonly E[]): E | undefined {
    return candidates.length < 2 ? candidates[0] : this.options.strategy.pick(candidates);
  }

  private restricted(
    accepts?: (endpoint: E) => boolean,
    excluded: E | readonly E[] = [],
  ): E | undefined {
    const tried: readonly Endpoint[] = excluded instanceof Endpoint ? [excluded] : excluded;
    const fits = (endpoint: E) => !tried.includes(endpoint) && (!accepts || accepts(endpoint));
    for (const some of [this.trusted, this.reachable]) {
      const fit = some.filter(fits);
      if (fit.length > 0) return this.choose(fit);
    }
    return this.choose(this.serving.filter(fits));
  }

  private publish(): void {
    const { serving } = this;
    const reachable = serving.filter(
      ({ state, unreachable }) => state !== 'ejected' || !unreachable,
    );
    const ejected = reachable.filter(({ state }) => state === 'ejected').length;
    this.reachable = reachable;
    this.trusted = serving.filter((endpoint) => endpoint.state === 'healthy');
    this.onProbation = serving.filter((endpoint) => endpoint.state === 'probation');
    if (this.detector?.panics(ejected, reachable.length)) this.choice = reachable;
    else if (this.trusted.length > 0) this.choice = this.trusted;
    else this.choice = this.onProbation.length > 0 ? this.onProbation : serving;
  }
}

function sameAddress(one: ServiceInstance, other: ServiceInstance): boolean {
  return one.host === other.host && one.port === other.port && one.scheme === other.scheme;
}
