import type { Endpoint } from './endpoint.js';

/**
 * Traffic leaves the caller's own zone in the measure in which it has lost capacity; up to this many hundredths more than
 * the share that is well are trusted to the well ones, as in Envoy (overprovisioning factor).
 */
const OVERPROVISIONING = 1.4;

/** Who may be chosen: worked out when an endpoint's state or the snapshot changes, so that a pick never filters. */
export class CandidateLists<E extends Endpoint> {
  readonly trusted: readonly E[];
  readonly reachable: readonly E[];
  readonly onProbation: readonly E[];
  /** All that may be chosen, whatever their zone. */
  readonly eligible: readonly E[];
  /** Those that a pick chooses from; with a split, those of the caller's own zone. */
  readonly choice: readonly E[];
  /** Those of other zones, which get what the own one cannot carry; undefined when there is no split. */
  readonly far: readonly E[] | undefined;
  /** How much stays in the own zone, from 0 to 1. */
  readonly nearShare: number;
  /** Whether so many are ejected that this is not believed. */
  readonly panicking: boolean;

  constructor(
    readonly serving: readonly E[],
    panics: (ejected: number, reachable: number) => boolean,
    /** The caller's own zone. */
    readonly zone: string | undefined,
  ) {
    const reachable = serving.filter(
      ({ state, unreachable }) => state !== 'ejected' || !unreachable,
    );
    const ejected = reachable.filter(({ state }) => state === 'ejected').length;
    this.reachable = reachable;
    this.trusted = serving.filter(({ state }) => state === 'healthy');
    this.onProbation = serving.filter(({ state }) => state === 'probation');
    this.panicking = panics(ejected, reachable.length);
    if (this.panicking) this.eligible = reachable;
    else if (this.trusted.length > 0) this.eligible = this.trusted;
    else this.eligible = this.onProbation.length > 0 ? this.onProbation : serving;
    const near = this.near();
    this.nearShare = near.length === 0 ? 1 : this.shareOf(near);
    this.choice = near.length === 0 ? this.eligible : near;
    this.far =
      this.nearShare < 1 ? this.eligible.filter((endpoint) => !near.includes(endpoint)) : undefined;
  }

  private near(): readonly E[] {
    const { zone, eligible } = this;
    if (zone === undefined) return [];
    const near = eligible.filter(({ instance }) => instance.zone === zone);
    return near.length === eligible.length ? [] : near;
  }

  private shareOf(near: readonly E[]): number {
    const all = this.serving.filter(({ instance }) => instance.zone === this.zone);
    return Math.min(1, (OVERPROVISIONING * weightOf(near)) / (weightOf(all) || 1));
  }
}

function weightOf(endpoints: readonly Endpoint[]): number {
  return endpoints.reduce((sum, { instance }) => sum + Math.max(0, instance.weight), 0);
}
