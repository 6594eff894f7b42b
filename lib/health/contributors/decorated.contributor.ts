import type { MetadataExplorer, Type } from '../../common/metadata-explorer.js';
import {
  HEALTH_CONTRIBUTORS,
  HealthContributor,
  type HealthContributorMark,
  type HealthReport,
} from '../health-contributor.js';
import { CheckContributor } from './check.contributor.js';

/** Every check that a provider's class or method is marked as with `@HealthContributor(…)`. */
export function decoratedContributors(explorer: MetadataExplorer): readonly HealthContributor[] {
  return explorer.providersOf(Object as Type).flatMap((instance) => {
    if (instance instanceof HealthContributor) return [];
    const marks = (Reflect.getMetadata(HEALTH_CONTRIBUTORS, instance) ??
      []) as readonly HealthContributorMark[];
    return marks.map(
      ({ name, method, ...options }) =>
        new CheckContributor(name, (signal) => call(instance, method, signal), options),
    );
  });
}

function call(instance: object, method: string | symbol, signal: AbortSignal): unknown {
  const target = instance as Record<string | symbol, (signal: AbortSignal) => HealthReport>;
  return target[method]?.(signal);
}
