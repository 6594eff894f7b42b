import type { INestApplicationContext } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { milliseconds } from '../common/duration.js';
import { DISCOVERY_BACKEND, type DiscoveryBackend } from '../discovery/discovery-backend.js';
import { DiscoveryClient } from '../discovery/discovery-client.js';
import { BackendUnavailableError } from '../discovery/discovery.errors.js';
import { Reachability } from '../discovery/reachability.js';
import type { ServiceView } from '../discovery/service-view.js';
import { ServiceWatches } from '../discovery/service-watches.js';
import type { CliArguments } from './cli-arguments.js';

/** What is known of every service; rejects with why when the registry does not answer in time. */
export async function knownServices(
  app: INestApplicationContext,
  { wait }: CliArguments,
): Promise<readonly ServiceView[]> {
  const watches = app.get(ServiceWatches, { strict: false });
  const clock = app.get(Clock, { strict: false });
  const limit = new AbortController();
  const late = clock.sleep(milliseconds(wait as `${number}s`), limit.signal);
  await Promise.race([watches.services.ready(), late]);
  limit.abort();
  const names = watches.services.latest;
  if (!names) throw unanswered(app, wait);
  const client = app.get(DiscoveryClient, { strict: false });
  return Promise.all(names.map((name) => client.ready(name, wait as `${number}s`)));
}

/** Why there is no answer. */
export function unanswered(app: INestApplicationContext, wait: string): Error {
  const { name } = app.get<DiscoveryBackend>(DISCOVERY_BACKEND, { strict: false });
  const { reason } = app.get(Reachability, { strict: false });
  return new BackendUnavailableError(
    `The registry "${name}" has not answered within ${wait}: ${reason ?? 'it says nothing'}`,
  );
}
