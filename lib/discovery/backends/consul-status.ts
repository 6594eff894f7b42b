import type { InstanceStatus } from '../service-instance.js';

/** What a check tells, of an instance or of its whole node. */
export interface CheckReport {
  readonly id: string;
  /** In Consul's word: `passing`, `warning`, `critical` or `maintenance`. */
  readonly status: string;
  /** What it put out; the notes of its registration where it has put out nothing yet. Hardly ever asked for. */
  readonly says: () => string;
}

/** The check that our heartbeat keeps passing. */
export function heartbeatCheck(id: string): string {
  return `service:${id}`;
}

/** What Consul calls a status. Draining is critical with a reason, so that other clients stay away too. */
export function toConsulStatus(status: InstanceStatus): 'passing' | 'warning' | 'critical' {
  if (status === 'up') return 'passing';
  return status === 'degraded' ? 'warning' : 'critical';
}

/** What one check says of an instance; maintenance, and a heartbeat that says so, mean draining. */
export function readStatus({ id, status, says }: CheckReport, heartbeat: string): InstanceStatus {
  if (/^_(service|node)_maintenance/.test(id)) return 'draining';
  if (status === 'critical' && id === heartbeat && says() === 'draining') return 'draining';
  if (status === 'critical' || status === 'maintenance') return 'down';
  return status === 'warning' ? 'degraded' : 'up';
}

const FROM_BEST: readonly InstanceStatus[] = ['up', 'degraded', 'down', 'draining'];

/** Of what two checks say, the worse counts. */
export function worse(one: InstanceStatus, other: InstanceStatus): InstanceStatus {
  return FROM_BEST.indexOf(one) < FROM_BEST.indexOf(other) ? other : one;
}
