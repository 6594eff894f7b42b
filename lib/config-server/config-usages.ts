import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { ConfigBodyError } from './config-server.errors.js';
import { type ConfigQuery, isName } from './config-request.js';

/** What a running instance of a service says of how it uses its configuration. */
export interface ConfigUsage extends ConfigQuery {
  readonly instance: string;
  /** The keys it reads: `db.pool.max`; one that ends in `.*` is all below it. */
  readonly keys: readonly string[];
  /** A digest of the schema its configuration must fit, if it has one. */
  readonly schema?: string;
}

/** Usages are forgotten when an instance has not repeated them for so long, in ms. */
export const USAGE_LIFE = 5 * 60_000;

/** So many instances are remembered, and so many keys of each. */
const MOST_INSTANCES = 2_000;
const MOST_KEYS = 2_000;

/** Which services run with which configuration, in memory: what each of them last said. */
@Injectable()
export class ConfigUsages {
  private readonly known = new Map<
    string,
    { readonly usage: ConfigUsage; readonly until: number }
  >();

  constructor(private readonly clock: Clock) {}

  /** Remembers what an instance says; throws `ConfigBodyError` when there are too many. */
  put(usage: ConfigUsage): void {
    const key = JSON.stringify([usage.application, usage.instance]);
    if (!this.known.has(key) && this.known.size >= MOST_INSTANCES) this.forget();
    if (!this.known.has(key) && this.known.size >= MOST_INSTANCES) {
      throw new ConfigBodyError(`More than ${MOST_INSTANCES} instances are known already.`, 429);
    }
    this.known.set(key, { usage, until: this.clock.now() + USAGE_LIFE });
  }

  /** Those who use the configuration of an application; of all, for `application`. */
  of(application: string): readonly ConfigUsage[] {
    this.forget();
    const all = [...this.known.values()].map(({ usage }) => usage);
    return application === 'application'
      ? all
      : all.filter((usage) => usage.application.split(',').includes(application));
  }

  private forget(): void {
    const now = this.clock.now();
    for (const [key, { until }] of this.known) if (until <= now) this.known.delete(key);
  }
}

/** Reads what an instance sends; throws `ConfigBodyError`. */
export function readUsage(body: Readonly<Record<string, unknown>>): ConfigUsage {
  const { application, instance, profiles, label, keys, schema } = body;
  if (typeof application !== 'string' || !application.split(',').every(isName)) {
    throw new ConfigBodyError('"application" must be the name that the configuration is asked by.');
  }
  if (typeof instance !== 'string' || !/^[\w.:@[\]-]{1,128}$/.test(instance)) {
    throw new ConfigBodyError(
      '"instance" must be a name of at most 128 letters, digits, "-", ":" and points.',
    );
  }
  if (!isTexts(profiles, 16) || !profiles.every(isName)) {
    throw new ConfigBodyError('"profiles" must be a list of at most 16 names.');
  }
  const steps = typeof label === 'string' ? label.split(/[/,]/) : [];
  if (label !== undefined && (typeof label !== 'string' || !steps.every(isName))) {
    throw new ConfigBodyError('"label" must be a name, or be left out.');
  }
  if (!isTexts(keys, MOST_KEYS)) {
    throw new ConfigBodyError(`"keys" must be a list of at most ${MOST_KEYS} keys.`);
  }
  if (schema !== undefined && (typeof schema !== 'string' || !/^[\w:+/=.-]{1,128}$/.test(schema))) {
    throw new ConfigBodyError(
      '"schema" must be a digest of at most 128 characters, or be left out.',
    );
  }
  return {
    application,
    instance,
    profiles,
    keys,
    ...(typeof label === 'string' ? { label } : {}),
    ...(typeof schema === 'string' ? { schema } : {}),
  };
}

/** Whether a value is a list of so many short texts at most. */
export function isTexts(value: unknown, most: number): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= most &&
    value.every((each) => typeof each === 'string' && each !== '' && each.length <= 256)
  );
}
