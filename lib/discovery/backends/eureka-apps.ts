import type { Clock } from '../../common/clock.js';
import type { ServiceInstance } from '../service-instance.js';
import type { EurekaCalls } from './eureka-calls.js';
import { readInstance, serviceOf } from './eureka-mapping.js';
import { type Fields, object, plain } from './json-fields.js';

/** One instance as it came, with what a hash of all of them is made of. */
interface Entry {
  readonly service: string | undefined;
  readonly status: string;
  readonly instance: ServiceInstance | undefined;
}

/** Instances by service. */
export type Apps = ReadonlyMap<string, readonly ServiceInstance[]>;

/**
 * All applications, kept up to date by what has changed since (`/apps/delta`).
 *
 * The server says of each delta what the whole should look like after it, `UP_12_DOWN_1_`; where it looks otherwise, everything
 * is read again, as the clients in Java do.
 */
export class EurekaApps {
  constructor(
    private readonly calls: EurekaCalls,
    private readonly options: {
      readonly clock: Clock;
      readonly namespace: string;
      readonly every: number;
    },
  ) {}

  async *follow(signal: AbortSignal): AsyncGenerator<Apps> {
    const { clock, every } = this.options;
    const known = new Map<string, Entry>();
    try {
      for (let first = true; !signal.aborted; first = false) {
        if (first || !(await this.update(known, signal))) await this.readAll(known, signal);
        yield byService(known);
        await clock.sleep(every * (0.9 + Math.random() * 0.2), signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  private async readAll(known: Map<string, Entry>, signal: AbortSignal): Promise<void> {
    const { instances } = readApplications(await this.calls.get('/apps', signal));
    known.clear();
    for (const { app, fields } of instances) this.keep(known, app, fields);
  }

  /** Takes over what has changed; false when that does not add up. */
  private async update(known: Map<string, Entry>, signal: AbortSignal): Promise<boolean> {
    const { hash, instances } = readApplications(await this.calls.get('/apps/delta', signal));
    for (const { app, fields } of instances) {
      if (fields['actionType'] === 'DELETED') known.delete(keyOf(app, fields));
      else this.keep(known, app, fields);
    }
    return hash === hashOf(known);
  }

  private keep(known: Map<string, Entry>, app: string, fields: Fields): void {
    const service = serviceOf(this.options.namespace, app);
    known.set(keyOf(app, fields), {
      service,
      status: plain(fields['status']),
      instance: service === undefined ? undefined : readInstance(service, fields),
    });
  }
}

interface Applications {
  readonly hash: string;
  readonly instances: readonly { readonly app: string; readonly fields: Fields }[];
}

/** One application, and one instance, may come without the list around it. */
function readApplications(answer: Fields): Applications {
  const applications = object(answer['applications']);
  const instances = listOf(applications['application']).flatMap((application) => {
    const app = plain(application['name']);
    return listOf(application['instance']).map((fields) => ({ app, fields }));
  });
  return { hash: plain(applications['apps__hashcode']), instances };
}

function listOf(value: unknown): readonly Fields[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value.map(object) : [object(value)];
}

function keyOf(app: string, fields: Fields): string {
  const id = fields['instanceId'] ?? fields['hostName'];
  return `${app}/${plain(id)}`;
}

/** How many instances there are of each status, in the order of the alphabet. */
function hashOf(known: ReadonlyMap<string, Entry>): string {
  const counts = new Map<string, number>();
  for (const { status } of known.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([status, count]) => `${status}_${count}_`)
    .join('');
}

function byService(known: ReadonlyMap<string, Entry>): Apps {
  const apps = new Map<string, ServiceInstance[]>();
  for (const { service, instance } of known.values()) {
    if (service === undefined || !instance) continue;
    const list = apps.get(service) ?? [];
    list.push(instance);
    apps.set(service, list);
  }
  for (const list of apps.values()) list.sort((a, b) => (a.id < b.id ? -1 : 1));
  return apps;
}
