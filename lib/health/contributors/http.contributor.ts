import type {
  HealthContributor,
  HealthContributorOptions,
  HealthReport,
} from '../health-contributor.js';
import { CheckContributor } from './check.contributor.js';

/**
 * Whether an address answers a GET with 200 to 399; 500 and above is `down`, 400 to 499 `degraded`, because then it does answer.
 *
 * @example
 * httpHealth('tax-office', 'https://tax.example/status', { critical: false, cache: '1m' })
 */
export function httpHealth(
  name: string,
  url: string,
  options: HealthContributorOptions = {},
): HealthContributor {
  return new CheckContributor(name, (signal) => look(url, signal), { scope: 'shared', ...options });
}

async function look(url: string, signal: AbortSignal): Promise<HealthReport> {
  const answer = await fetch(url, { signal });
  await answer.body?.cancel();
  const details = { answered: answer.status };
  if (answer.status >= 500) return { status: 'down', details };
  return { status: answer.status >= 400 ? 'degraded' : 'up', details };
}
