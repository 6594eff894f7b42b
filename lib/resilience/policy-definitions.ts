import { Inject, Injectable, Logger, type OnModuleDestroy, Optional } from '@nestjs/common';
import { messageOf } from '../common/errors.js';
import { ConfigClient } from '../config-client/config-client.js';
import { type PolicyOptions, type PolicySettings, policySettings } from './policy.options.js';
import type { ResilienceOptions } from './resilience.options.js';

/** The token of what `ResilienceModule.forRoot` was given. */
export const RESILIENCE_OPTIONS = Symbol('rookery:resilience-options');

/** Where the configuration says what policies are. */
const PREFIX = 'resilience.policies';

/** What the policies of each name are: by the options, and before them by the configuration, live. */
@Injectable()
export class PolicyDefinitions implements OnModuleDestroy {
  private readonly logger = new Logger('Resilience');
  private readonly listeners = new Set<() => void>();
  private readonly subscription: { unsubscribe(): void } | undefined;

  constructor(
    @Inject(RESILIENCE_OPTIONS) private readonly options: ResilienceOptions,
    @Optional() private readonly config?: ConfigClient,
  ) {
    this.subscription = config?.changes$.subscribe(({ keys }) => {
      if (!keys.some((key) => key === 'resilience' || key.startsWith(PREFIX))) return;
      for (const listener of this.listeners) listener();
    });
  }

  onModuleDestroy(): void {
    this.subscription?.unsubscribe();
    this.listeners.clear();
  }

  /** Hears that the configuration of some policy is another. */
  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** Whether anybody has said what a policy of that name is. */
  has(name: string): boolean {
    return Object.hasOwn(this.options.policies ?? {}, name) || this.configured(name) !== undefined;
  }

  /** The names in the options and the configuration. */
  get names(): readonly string[] {
    const configured = this.config?.get<object>(PREFIX);
    const theirs = typeof configured === 'object' && configured !== null ? configured : {};
    return [...new Set([...Object.keys(this.options.policies ?? {}), ...Object.keys(theirs)])];
  }

  /**
   * The settings of a policy.
   *
   * @param own options given in place; without them those of the name
   * @throws InvalidOptionsError when they cannot be used
   */
  settingsOf(name: string, own?: PolicyOptions): PolicySettings {
    const { defaults, policies = {} } = this.options;
    const said = own ?? (Object.hasOwn(policies, name) ? policies[name] : undefined);
    const path = `resilience.policies.${name}`;
    return policySettings(merge(merge(defaults, said), this.configured(name)), path);
  }

  /** The same for a policy that is in use; when the configuration is wrong, the old settings stay and the log says why. */
  changedSettingsOf(name: string, own?: PolicyOptions): PolicySettings | undefined {
    try {
      return this.settingsOf(name, own);
    } catch (error) {
      this.logger.error(`The policy "${name}" stays as it was: ${messageOf(error)}`);
      return undefined;
    }
  }

  private configured(name: string): PolicyOptions | undefined {
    const said = this.config?.get(`${PREFIX}.${name}`);
    return said === undefined ? undefined : (said as PolicyOptions);
  }
}

/** Field by field; groups are filled up, anything else is replaced. */
function merge(
  under: PolicyOptions | undefined,
  over: PolicyOptions | undefined,
): PolicyOptions | undefined {
  if (under === undefined || over === undefined || typeof over !== 'object') return over ?? under;
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    const both = isGroup(below) && isGroup(value);
    if (value !== undefined) merged[key] = both ? { ...below, ...value } : value;
  }
  return merged;
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
