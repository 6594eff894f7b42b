import type { InstanceStatus } from '../service-instance.js';
import type { CheckBytes } from './consul-check-scan.js';
import { heartbeatCheck, readStatus, worse } from './consul-status.js';

/** Which checks there are: how many, and the sum of the indexes of their creation. */
export class CheckPrint {
  private count = 0;
  private sum = 0;
  private written = '';

  note(created: number): void {
    this.count += 1;
    this.sum += created;
  }

  /** The same text for the same checks; '' for none. Asked for when all are noted. */
  get text(): string {
    return (this.written ||= this.count === 0 ? '' : `${this.count}/${this.sum}`);
  }
}

/** Which checks each service has. Consul finds services in any case, so their names are taken in lower case. */
export class RegisteredChecks {
  private readonly services = new Map<string, CheckPrint>();

  note(check: CheckBytes): void {
    const name = check.text('ServiceName').toLowerCase();
    let known = this.services.get(name);
    if (!known) this.services.set(name, (known = new CheckPrint()));
    known.note(check.number('CreateIndex'));
  }

  /** The same text as long as a service has the same checks. */
  print(service: string): string {
    return this.services.get(service.toLowerCase())?.text ?? '';
  }
}

/** What a check that does not pass says, and of what. */
export interface FailingCheck {
  /** The name in Consul in lower case, or '' where it is of a node. */
  readonly service: string;
  /** The instance or the node it is of. */
  readonly key: string;
  readonly status: InstanceStatus;
}

export function readFailingCheck(check: CheckBytes): FailingCheck {
  const service = check.text('ServiceName').toLowerCase();
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
  return { service, key: service === '' ? node : keyOf(node, id), status };
}

/** What the checks say that do not pass. */
export class FailingChecks {
  private nodes = new Failures();
  private readonly services = new Map<string, Failures>();

  note(check: FailingCheck): void {
    this.failuresOf(check.service).note(check);
  }

  /** Says that all of an index are noted, and what was known before. */
  seal(index: number, before: FailingChecks | undefined): void {
    this.nodes = this.nodes.asOf(index, before?.nodes);
    before?.services.forEach((_, service) => this.failuresOf(service));
    this.services.forEach((failures, service) => {
      const known = before?.services.get(service);
      if (failures.isEmpty && known?.isEmpty) this.services.delete(service);
      else this.services.set(service, failures.asOf(index, known));
    });
  }

  /** What the checks of an instance and of its node come to. */
  statusOf({ service, node, key }: RegisteredInstance): InstanceStatus {
    const own = this.services.get(service)?.statusOf(key);
    return worse(own ?? 'up', this.nodes.statusOf(node));
  }

  /** Since which index the statuses of a service cannot have changed. */
  since(service: string): number {
    return Math.max(this.services.get(service.toLowerCase())?.since ?? 0, this.nodes.since);
  }

  private failuresOf(service: string): Failures {
    if (service === '') return this.nodes;
    let failures = this.services.get(service);
    if (!failures) this.services.set(service, (failures = new Failures()));
    return failures;
  }
}

/** What fails of one service, or of all nodes. */
class Failures {
  /** Since which index that is so. */
  since = 0;
  private readonly checks: FailingCheck[] = [];
  private statuses: ReadonlyMap<string, InstanceStatus> | undefined;

  get isEmpty(): boolean {
    return this.checks.length === 0;
  }

  note(check: FailingCheck): void {
    this.checks.push(check);
  }

  /** These as of an index, or what was known before if it says the same. */
  asOf(index: number, known: Failures = new Failures()): Failures {
    if (this.saysSameAs(known)) return known;
    this.since = index;
    return this;
  }

  statusOf(key: string): InstanceStatus {
    // Most services are not asked for before the next change.
    this.statuses ??= statusesOf(this.checks);
    return this.statuses.get(key) ?? 'up';
  }

  private saysSameAs({ checks }: Failures): boolean {
    return (
      this.checks.length === checks.length &&
      this.checks.every((check, n) => isSame(check, checks[n]!))
    );
  }
}

function isSame(one: FailingCheck, other: FailingCheck): boolean {
  return one === other || (one.key === other.key && one.status === other.status);
}

function statusesOf(checks: readonly FailingCheck[]): ReadonlyMap<string, InstanceStatus> {
  const statuses = new Map<string, InstanceStatus>();
  for (const { key, status } of checks) statuses.set(key, worse(statuses.get(key) ?? 'up', status));
  return statuses;
}

/** Where Consul has an instance. */
export interface RegisteredInstance {
  /** The name in Consul in lower case. */
  readonly service: string;
  readonly node: string;
  /** `keyOf` it: its id is unique on its node only. */
  readonly key: string;
}

export function keyOf(node: string, id: string): string {
  return `${node}\0${id}`;
}
