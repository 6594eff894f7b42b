import { messageOf } from '../../common/errors.js';
import type { BackendContext, DiscoveryBackend } from '../discovery-backend.js';
import type { InstanceStatus, ServiceInstance } from '../service-instance.js';
import { type Lease, ServiceRegistry } from '../service-registry.js';

/** Registers with every member; one that accepts is enough, and the others are tried again with each renewal. */
export class CompositeRegistry extends ServiceRegistry {
  constructor(
    private readonly members: readonly DiscoveryBackend[],
    private readonly context: BackendContext,
  ) {
    super();
  }

  override async register(instance: ServiceInstance, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    const lease = new CompositeLease(this.members, instance, this.context);
    await lease.begin(signal);
    return lease;
  }
}

interface Part {
  readonly backend: DiscoveryBackend;
  lease: Lease | undefined;
  failing: boolean;
}

class CompositeLease implements Lease {
  readonly renewEvery: number;
  private readonly parts: readonly Part[];

  constructor(
    members: readonly DiscoveryBackend[],
    private readonly instance: ServiceInstance,
    private readonly context: BackendContext,
  ) {
    this.renewEvery = context.heartbeat;
    this.parts = members.map((backend) => ({ backend, lease: undefined, failing: false }));
  }

  begin(signal: AbortSignal): Promise<void> {
    return this.everywhere((part) => this.enter(part, this.instance.status, signal));
  }

  /** A member that has forgotten us gets us again at once; so nothing is ever lost for the others' sake. */
  async renew(status: InstanceStatus, signal: AbortSignal): Promise<'ok' | 'lost'> {
    await this.everywhere(async (part) => {
      const answer = await part.lease?.renew(status, signal);
      if (answer !== 'ok') await this.enter(part, status, signal);
    });
    return 'ok';
  }

  async revoke(signal: AbortSignal): Promise<void> {
    await this.everywhere(async (part) => part.lease?.revoke(signal));
  }

  private async enter(part: Part, status: InstanceStatus, signal: AbortSignal): Promise<void> {
    part.lease = undefined;
    part.lease = await part.backend.registry?.register({ ...this.instance, status }, signal);
  }

  /** Does something with all members; rejects with the first failure when none succeeded. */
  private async everywhere(task: (part: Part) => Promise<void>): Promise<void> {
    const outcomes = await Promise.allSettled(this.parts.map(task));
    for (const [index, outcome] of outcomes.entries()) {
      const part = this.parts[index];
      if (part) this.note(part, outcome);
    }
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure && outcomes.every(({ status }) => status === 'rejected')) throw failure.reason;
  }

  private note(part: Part, outcome: PromiseSettledResult<void>): void {
    const failing = outcome.status === 'rejected';
    if (failing && !part.failing) {
      this.context.warn(
        `This instance cannot be kept in the registry "${part.backend.name}" (${messageOf(outcome.reason)}); it is tried again with every heartbeat.`,
      );
    }
    part.failing = failing;
  }
}
