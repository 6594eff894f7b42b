import { group, optional, record } from '../common/option-readers.js';
import { type PolicyOptions, policySettings } from './policy.options.js';

/** What `ResilienceModule.forRoot` takes. */
export interface ResilienceOptions {
  /**
   * Policies by name. The configuration's `resilience.policies.NAME` goes before, field by field, and may change while the
   * application runs.
   */
  readonly policies?: Readonly<Record<string, PolicyOptions>>;
  /** What every policy begins with. */
  readonly defaults?: PolicyOptions;
}

/** Checks `ResilienceOptions`; what is wrong in a policy is told with its path. */
export function readResilienceOptions(options: ResilienceOptions | undefined): ResilienceOptions {
  group({ policies: record(policySettings), defaults: optional(policySettings) })(
    options,
    'resilience',
  );
  return options ?? {};
}
