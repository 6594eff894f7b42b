import { isDeepStrictEqual } from 'node:util';
import {
  Injectable,
  type OnApplicationShutdown,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { InvalidOptionsError } from '../common/errors.js';
import { EventHub } from '../common/event-hub.js';
import { RequestContext } from '../common/request-context.js';
import { Circuits } from './circuits.js';
import { Pipeline, type PipelineParts } from './pipeline.js';
import { CircuitBreakers, type OpossumBreaker } from './policies/circuit-breaker.policy.js';
import type { PolicyContext } from './policies/policy.js';
import { PolicyDefinitions } from './policy-definitions.js';
import type { PolicyOptions } from './policy.options.js';

/** What a single call may say beside its policy. */
export interface ExecuteOptions<T> {
  /** Gives the call up when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** What to return when it fails: `{ value }`, or a function of the cause. */
  readonly fallback?: { readonly value: T } | ((cause: unknown) => T | Promise<T>) | undefined;
  /** Under what the policy's cache keeps what it returns; without a key nothing is kept. */
  readonly key?: string | (() => string);
}

/** A policy in use, and the options that were given in place of a name. */
interface Kept {
  pipeline: Pipeline;
  readonly own: PolicyOptions | undefined;
}

/**
 * Calls functions by policies: time-outs, retries, circuits, bulkheads, rate limits, caches and fallbacks.
 *
 * @example
 * const price = await resilience.execute('pricing', ({ signal }) => fetch(url, { signal }).then((answer) => answer.json()));
 */
@Injectable()
export class Resilience implements OnModuleInit, OnApplicationShutdown {
  private readonly kept = new Map<string, Kept>();
  private readonly unnamed = new WeakMap<PolicyOptions, Kept>();
  private readonly parts: PipelineParts;
  private anonymous = 0;

  constructor(
    private readonly definitions: PolicyDefinitions,
    private readonly clock: Clock,
    hub: EventHub,
    circuits: Circuits,
    @Optional() private readonly context?: RequestContext,
  ) {
    this.parts = { clock, hub, circuits, breakers: new CircuitBreakers(clock) };
    definitions.onChange(() => this.follow());
  }

  /** Every policy that has a name is checked at the start. */
  onModuleInit(): void {
    for (const name of this.definitions.names) this.definitions.settingsOf(name);
  }

  onApplicationShutdown(): void {
    for (const { pipeline } of this.kept.values()) pipeline.close();
    this.kept.clear();
  }

  /**
   * Calls a function by a policy.
   *
   * @param policy its name, or options; the same options object is the same policy, with its circuit and its counts
   * @param task is given a signal that aborts when the call is not waited for any longer
   * @throws PolicyError when a policy refused the call or did not wait for it, and whatever the function threw
   * @throws InvalidOptionsError when there is no policy of that name
   */
  async execute<T>(
    policy: string | PolicyOptions,
    task: (context: PolicyContext) => T | Promise<T>,
    options: ExecuteOptions<T> = {},
  ): Promise<T> {
    const { breakers } = this.parts;
    if (!breakers.loaded) await breakers.load();
    const { pipeline } = typeof policy === 'string' ? this.named(policy) : this.given(policy);
    return (await this.run(pipeline, task, options)) as T;
  }

  /** The names of the policies that were used, or are known from options and configuration. */
  get names(): readonly string[] {
    return [...new Set([...this.definitions.names, ...this.kept.keys()])];
  }

  /** opossum's breaker of a policy that was used, for tools that read its events and figures. */
  breakerOf(name: string): OpossumBreaker | undefined {
    return this.kept.get(name)?.pipeline.opossum;
  }

  /** @internal Makes a policy with a name of its own; it is there when the promise is. */
  async define(name: string, own?: PolicyOptions): Promise<void> {
    await this.parts.breakers.load();
    this.named(name, own);
  }

  private run(
    pipeline: Pipeline,
    task: (context: PolicyContext) => unknown,
    { signal, fallback, key }: ExecuteOptions<unknown>,
  ): Promise<unknown> {
    const instead = typeof fallback === 'function' ? fallback : fallback && (() => fallback.value);
    const deadline = this.context?.current?.deadline ?? Number.POSITIVE_INFINITY;
    // Written down only where something is kept by it.
    const name = pipeline.settings.cache === false || typeof key !== 'function' ? key : key();
    return pipeline.run({
      task,
      signal,
      key: typeof name === 'string' ? name : undefined,
      fallback: instead,
      deadline,
    });
  }

  private named(name: string, own?: PolicyOptions): Kept {
    const known = this.kept.get(name);
    if (known !== undefined) return known;
    if (own === undefined && !this.definitions.has(name)) {
      throw new InvalidOptionsError(
        `There is no policy "${name}". Write ResilienceModule.forRoot({ policies: { ${JSON.stringify(name)}: { … } } }), or set resilience.policies.${name} in the configuration.`,
      );
    }
    const kept = { pipeline: this.make(name, own), own };
    this.kept.set(name, kept);
    return kept;
  }

  private given(options: PolicyOptions): Kept {
    const known = this.unnamed.get(options);
    if (known !== undefined) return known;
    const kept = this.named(`policy-${++this.anonymous}`, options);
    this.unnamed.set(options, kept);
    return kept;
  }

  private make(name: string, own?: PolicyOptions): Pipeline {
    return new Pipeline(name, this.definitions.settingsOf(name, own), this.parts);
  }

  /** The configuration has changed: policies that are others now begin anew; calls under way end by the old ones. */
  private follow(): void {
    for (const [name, kept] of this.kept) {
      const settings = this.definitions.changedSettingsOf(name, kept.own);
      if (settings === undefined || isDeepStrictEqual(settings, kept.pipeline.settings)) continue;
      const before = kept.pipeline;
      kept.pipeline = new Pipeline(name, settings, this.parts);
      before.close();
      kept.pipeline.events.changed();
    }
  }
}
