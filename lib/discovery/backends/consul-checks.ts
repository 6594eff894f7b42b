import type { InstanceStatus } from '../service-instance.js';
import type { CheckBytes } from './consul-check-scan.js';
import { heartbeatCheck, readStatus, worst } from './consul-status.js';

/** Which checks each service has: how many, and the sum of the indexes of their creation. */
export class RegisteredChecks {
  private readonly counts = new Map<string, { count: number; sum: number }>();

  note(check: CheckBytes): void {
    const name = check.text('ServiceName');
    const index = check.number('CreateIndex');
    const known = this.counts.get(name);
    if (known) {
      known.count += 1;
      known.sum += index;
    } else this.counts.set(name, { count: 1, sum: index });
  }

  /** The same text as long as a service has the same checks. */
  print(service: string): string {
    const known = this.counts.get(service);
    return known ? `${known.count}/${known.sum}` : '';
  }
}

/** What the checks say that do not pass. */
export class FailingChecks {
  private readonly nodes = new Failures();
  private readonly services = new Map<string, Failures>();

  note(check: CheckBytes): void {
    const service = check.text('ServiceName');
    const node = check.text('Node');
    const id = check.text('ServiceID');
    const status = readStatus(
      {
        id: check.text('CheckID'),
        status: check.text('Status'),
        says: () => check.text('Output') || check.text('Notes'),
      },
      heartbeatCheck(id),
    );
    if (service === '') return this.nodes.note(node, status);
    let failures = this.services.get(service);
    if (!failures) this.services.set(service, (failures = new Failures()));
    failures.note(keyOf(node, id), status);
  }

  /** Says that all of an index are noted, and what was known before. */
  seal(index: number, before: FailingChecks | undefined): void {
    for (const service of before?.services.keys() ?? [])
      if (!this.services.has(service)) this.services.set(service, new Failures());
    this.nodes.seal(index, before?.nodes);
    for (const [service, failures] of this.services) {
      const known = before?.services.get(service);
      failures.seal(index, known);
      if (failures.isEmpty && known?.isEmpty) this.services.delete(service);
    }
  }

  /** What the checks of an instance and of its node come to. */
  statusOf({ service, node, id }: RegisteredInstance): InstanceStatus {
    const own = this.services.get(service)?.statusOf(keyOf(node, id));
    return worst([own ?? 'up', this.nodes.statusOf(node)]);
  }

  /** Since which index the statuses of a service cannot have changed. */
  since(service: string): number {
    return Math.max(this.services.get(service)?.since ?? 0, this.nodes.since);
  }
}

/** What fails of one service, or of all nodes. */
class Failures {
  /** Since which index that is so. */
  since = 0;
  private readonly statuses = new Map<string, InstanceStatus>();
  /** All of it as one text. */
  private print = '';

  get isEmpty(): boolean {
    return this.print === '';
  }

  note(key: string, status: InstanceStatus): void {
    this.statuses.set(key, worst([this.statusOf(key), status]));
    this.print += `${key} ${status},`;
  }

  seal(index: number, before: Failures | undefined): void {
    this.since = this.print === (before?.print ?? '') ? (before?.since ?? 0) : index;
  }

  statusOf(key: string): InstanceStatus {
    return this.statuses.get(key) ?? 'up';
  }
}

/** Where Consul has an instance; its id is unique on its node only. */
export interface RegisteredInstance {
  /** The name in Consul. */
  readonly service: string;
  readonly node: string;
  readonly id: string;
}

function keyOf(node: string, id: string): string {
  return `${node}\0${id}`;
}
