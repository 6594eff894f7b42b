import { SystemClock } from '../../../../lib/common/clock.js';
import { Live } from '../../../../lib/common/live.js';
import type { DiscoveryBackend } from '../../../../lib/discovery/discovery-backend.js';
import type { ServiceInstance } from '../../../../lib/discovery/service-instance.js';

/** What a backend shows of a service, kept up to date as the room does it. */
export function follow(
  { source }: DiscoveryBackend,
  service: string,
): Live<readonly ServiceInstance[]> {
  return new Live({
    clock: new SystemClock(),
    open: (signal) => source.instances(service, signal),
  });
}

export function followServices({ source }: DiscoveryBackend): Live<readonly string[]> {
  return new Live({ clock: new SystemClock(), open: (signal) => source.services(signal) });
}
