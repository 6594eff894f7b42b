import type { HealthContributor, HealthContributorOptions } from '../health-contributor.js';
import { CheckContributor } from './check.contributor.js';

/**
 * Whether something answers, by a function of yours: a database through the client you have, a queue, a cache.
 *
 * It is taken for something that all instances share, unless the options say otherwise.
 *
 * @param ask what it throws, or that it takes too long, says that the thing is down
 * @example
 * pingHealth('database', () => pool.query('SELECT 1'), { cache: '10s' })
 */
export function pingHealth(
  name: string,
  ask: (signal: AbortSignal) => unknown,
  options: HealthContributorOptions = {},
): HealthContributor {
  return new CheckContributor(name, ask, { scope: 'shared', ...options });
}

/** What is used of Nest's `ClientProxy`. */
export interface ConnectingClient {
  connect(): Promise<unknown>;
}

/**
 * Whether a Nest transport can be reached, by the client that calls it; it keeps that client's connection and opens none of its
 * own.
 *
 * @example
 * transportHealth('payments-queue', client)
 */
export function transportHealth(
  name: string,
  client: ConnectingClient,
  options: HealthContributorOptions = {},
): HealthContributor {
  return pingHealth(name, async () => void (await client.connect()), options);
}
