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
  private readonly nodes = new Map<string, InstanceStatus>();
  private nodesPrint = '';
  private readonly services = new Map<string, Failures>();

  note(check: CheckBytes): void {
    const service = check.text('ServiceName');
    const node = check.text('Node');
    const id = check.text('ServiceID');
    const status = readStatus(
      {
        id: check.text('CheckID'),
        status: check.text('Status'),
        says: check.text('Output') || check.text('Notes'),
      },
      heartbeatCheck(id),
    );
    if (service === '') {
      this.nodes.set(node, worst([this.nodes.get(node) ?? 'up', status]));
      this.nodesPrint += `${node} ${status},`;
      return;
    }
    let failures = this.services.get(service);
    if (!failures) this.services.set(service, (failures = { statuses: new Map(), print: '' }));
    const key = keyOf(node, id);
    failures.statuses.set(key, worst([failures.statuses.get(key) ?? 'up', status]));
    failures.print += `${key} ${status},`;
  }

  /** What the checks of an instance and of its node come to. */
  statusOf({ service, node, id }: RegisteredInstance): InstanceStatus {
    const own = this.services.get(service)?.statuses.get(keyOf(node, id));
    return worst([own ?? 'up', this.nodes.get(node) ?? 'up']);
  }

  /** The same text as long as the statuses of a service cannot have changed. */
  print(service: string): string {
    return `${this.services.get(service)?.print ?? ''} ${this.nodesPrint}`;
  }
}

/** Where Consul has an instance; its id is unique on its node only. */
export interface RegisteredInstance {
  /** The name in Consul. */
  readonly service: string;
  readonly node: string;
  readonly id: string;
}

interface Failures {
  readonly statuses: Map<string, InstanceStatus>;
  print: string;
}

function keyOf(node: string, id: string): string {
  return `${node}\0${id}`;
}
