import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';
import type { ServiceInstance } from '../discovery/service-instance.js';
import { CandidateLists } from './candidate-lists.js';
import { Endpoint } from './endpoint.js';
import { explainPick, type PickExplanation } from './explanation.js';
import { LatencyMemory } from './latency-memory.js';
import type { LoadBalancingStrategy } from './load-balancing-strategy.js';
import { OutlierDetector, type OutlierSettings } from './outlier-detector.js';
import { SlowStart } from './slow-start.js';
import { type SubsetOptions, subsetOf } from './subset.js';

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
  /** The caller's own zone, whose endpoints are preferred; leave it out, and zones do not matter. */
  readonly zone?: string | undefined;
  /** Which of the instances are called at all. */
  readonly subset?: SubsetOptions | undefined;
  /** In how many ms a new endpoint comes to its full share; 0 is at once. */
  readonly slowStart?: number | undefined;
  /** Hears that a new snapshot was taken. */
  readonly onUpdate?: (() => void) | undefined;
}

/**
 * Chooses endpoints of one service, and learns from how the calls went.
 *
 * Every `pick` wants its `complete`. What changes is computed when it changes, so that `pick` never filters.
 */
export class LoadBalancer<E extends Endpoint> {
  /** The strategy, which says what of a request it goes by. */
  readonly strategy: LoadBalancingStrategy;
  private readonly known = new Map<string, E>();
  private readonly detector: OutlierDetector<E> | undefined;
  private readonly slowStart: SlowStart<E> | undefined;
  private readonly memory: LatencyMemory;
  private lists: CandidateLists<E>;
  private serving: readonly E[] = [];
  private taking: ReadonlySet<string> = new Set();
  private informed = false;

  constructor(private readonly options: LoadBalancerOptions<E>) {
    const { outlier, clock, events, slowStart = 0, strategy } = options;
    this.strategy = strategy;
    this.lists = this.listed();
    this.detector =
      outlier && new OutlierDetector(outlier, clock, events, (changed) => this.onState(changed));
    this.memory = new LatencyMemory(clock, () => this.serving);
    if (slowStart > 0) this.slowStart = new SlowStart(slowStart, clock, () => this.publish());
  }

  /** Those that `pick` chooses from; a whole new array whenever it changes. */
  get candidates(): readonly E[] {
    return this.lists.choice;
  }

  /** Whether a snapshot has come yet. */
  get ready(): boolean {
    return this.informed;
  }

  /** All endpoints, whatever their state. */
  get endpoints(): readonly E[] {
    return [...this.known.values()];
  }

  /** Those that the registry says take traffic; the same array until that changes. */
  get peers(): readonly E[] {
    return this.serving;
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
      } else this.meet(instance);
    }
    const served = subsetOf(taking, this.options.subset);
    this.taking = new Set(taking.map(({ id }) => id));
    this.serving = served.flatMap((instance) => this.known.get(instance.id) ?? []);
    for (const [id, endpoint] of gone) {
      if (this.known.get(id) === endpoint) this.known.delete(id);
      this.detector?.release(endpoint);
      this.slowStart?.release(endpoint);
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
   * @param value what the request has under the strategy's key
   */
  pick(
    accepts?: (endpoint: E) => boolean,
    excluded?: E | readonly E[],
    value?: string,
  ): E | undefined {
    const chosen =
      accepts === undefined && excluded === undefined
        ? (this.probe() ?? this.choose(this.near(), value))
        : this.restricted(value, accepts, excluded);
    if (chosen !== undefined) chosen.active++;
    return chosen;
  }

  /** Takes the outcome of a picked call; `elapsed` in ms, 0 for a failure that says nothing of how long answers take. */
  complete(endpoint: E, outcome: CallOutcome, elapsed: number): void {
    endpoint.active--;
    if (outcome === 'cancelled') return;
    endpoint.calls++;
    if (elapsed > 0) this.memory.note(endpoint, elapsed);
    if (outcome === 'success') {
      endpoint.consecutiveFailures = 0;
      if (endpoint.state !== 'healthy') this.recovered(endpoint);
      else if (this.detector?.comparesLatency === true)
        this.detector.slowed(endpoint, this.serving);
      return;
    }
    this.detector?.roll(endpoint);
    endpoint.failures++;
    endpoint.consecutiveFailures++;
    // The only endpoint is better than none, however often it fails.
    if (this.serving.length > 1 && this.isKnown(endpoint)) {
      this.detector?.failed(endpoint, outcome === 'unreachable', this.serving);
    }
  }

  /** How a pick would be made now, and why some endpoints have no part in it. */
  explain(): PickExplanation {
    return explainPick({
      strategy: this.strategy,
      endpoints: this.endpoints,
      lists: this.lists,
      takes: ({ instance }) => this.taking.has(instance.id),
    });
  }

  /** Lets go of every endpoint. */
  close(): void {
    this.update([]);
    this.memory.close();
  }

  private meet(instance: ServiceInstance): void {
    const endpoint = this.options.create(instance);
    this.known.set(instance.id, endpoint);
    // Those that were there first have nobody to spare them.
    if (this.informed) this.slowStart?.begin(endpoint);
  }

  private isKnown(endpoint: E): boolean {
    return this.known.get(endpoint.instance.id) === endpoint;
  }

  private recovered(endpoint: E): void {
    if (this.isKnown(endpoint)) {
      this.detector?.succeeded(endpoint, this.lists.eligible.includes(endpoint));
    }
  }

  /** An endpoint on probation gets one call at a time, the next one. */
  private probe(): E | undefined {
    const { onProbation } = this.lists;
    if (onProbation.length === 0) return undefined;
    return onProbation.find((endpoint) => endpoint.active === 0);
  }

  private near(): readonly E[] {
    const { choice, far, nearShare } = this.lists;
    return far === undefined || Math.random() < nearShare ? choice : far;
  }

  private choose(candidates: readonly E[], value?: string): E | undefined {
    return candidates.length < 2 ? candidates[0] : this.strategy.pick(candidates, value);
  }

  private restricted(
    value: string | undefined,
    accepts?: (endpoint: E) => boolean,
    excluded: E | readonly E[] = [],
  ): E | undefined {
    const tried: readonly Endpoint[] = excluded instanceof Endpoint ? [excluded] : excluded;
    const fits = (endpoint: E) => !tried.includes(endpoint) && (!accepts || accepts(endpoint));
    const { trusted, reachable } = this.lists;
    const near = this.lists.zone === undefined ? [] : [this.near()];
    for (const some of [...near, trusted, reachable]) {
      const fit = some.filter(fits);
      if (fit.length > 0) return this.choose(fit, value);
    }
    return this.choose(this.serving.filter(fits), value);
  }

  private onState(endpoint: E): void {
    if (endpoint.state === 'healthy') this.slowStart?.begin(endpoint);
    this.publish();
  }

  private publish(): void {
    this.lists = this.listed();
  }

  private listed(): CandidateLists<E> {
    const panics = (ejected: number, reachable: number) =>
      this.detector?.panics(ejected, reachable) === true;
    return new CandidateLists(this.serving, panics, this.options.zone);
  }
}

function sameAddress(one: ServiceInstance, other: ServiceInstance): boolean {
  return one.host === other.host && one.port === other.port && one.scheme === other.scheme;
}
