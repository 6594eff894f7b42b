import type { DiscoveryBackend } from '../../../lib/discovery/discovery-backend.js';
import { InstanceSource } from '../../../lib/discovery/instance-source.js';
import type { InstanceStatus, ServiceInstance } from '../../../lib/discovery/service-instance.js';
import { type Lease, ServiceRegistry } from '../../../lib/discovery/service-registry.js';

/** A complete instance of which a test says only what matters. */
export function instance(fields: Partial<ServiceInstance> = {}): ServiceInstance {
  return {
    id: 'orders-1',
    service: 'orders',
    host: '127.0.0.1',
    port: 3001,
    ports: {},
    scheme: 'http',
    status: 'up',
    weight: 1,
    tags: [],
    metadata: {},
    ...fields,
  };
}

type Step<T> = { readonly snapshot: T } | { readonly error: unknown } | 'end';

/** A stream a test writes by hand. */
class ControlledStream<T> {
  opened = 0;
  private readonly steps: Step<T>[] = [];
  private wake: () => void = () => {};

  push(step: Step<T>): void {
    this.steps.push(step);
    this.wake();
  }

  async *read(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    this.opened++;
    signal.addEventListener('abort', () => this.wake(), { once: true });
    while (!signal.aborted) {
      const step = this.steps.shift();
      if (step === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
      else if (step === 'end') return;
      else if ('error' in step) throw step.error;
      else yield step.snapshot;
    }
  }
}

class ControlledSource extends InstanceSource {
  readonly watched = new Map<string, ControlledStream<readonly ServiceInstance[]>>();
  readonly list = new ControlledStream<readonly string[]>();

  of(service: string): ControlledStream<readonly ServiceInstance[]> {
    const stream = this.watched.get(service) ?? new ControlledStream();
    this.watched.set(service, stream);
    return stream;
  }

  override instances(service: string, signal: AbortSignal) {
    return this.of(service).read(signal);
  }

  override services(signal: AbortSignal) {
    return this.list.read(signal);
  }
}

class ControlledRegistry extends ServiceRegistry {
  /** Every call, in order: `register orders-1 up`, `renew up`, `revoke`. */
  readonly calls: string[] = [];
  readonly registrations: ServiceInstance[] = [];
  /** What `register` and `renew` throw while it is set. */
  failure: Error | undefined;
  answer: 'ok' | 'lost' = 'ok';
  renewEvery: number | undefined = 5_000;
  /** Ends the newest lease. */
  lose: () => void = () => {};
  /** When set, `register` waits for it. */
  gate: Promise<void> | undefined;

  /** Lets `register` wait until the function it gives is called. */
  shut(): () => void {
    const { promise, resolve } = withResolver();
    this.gate = promise;
    return resolve;
  }

  override async register(registered: ServiceInstance): Promise<Lease> {
    this.calls.push(`register ${registered.status}`);
    await this.gate;
    if (this.failure) throw this.failure;
    this.registrations.push(registered);
    const lost = new Promise<void>((resolve) => (this.lose = resolve));
    return {
      ...(this.renewEvery !== undefined && { renewEvery: this.renewEvery }),
      lost,
      renew: (status: InstanceStatus) => this.renew(status),
      revoke: () => this.revoke(),
    };
  }

  private async renew(status: InstanceStatus): Promise<'ok' | 'lost'> {
    this.calls.push(`renew ${status}`);
    if (this.failure) throw this.failure;
    return this.answer;
  }

  private async revoke(): Promise<void> {
    this.calls.push('revoke');
    if (this.failure) throw this.failure;
  }
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  const made = { resolve: () => {} };
  const promise = new Promise<void>((resolve) => (made.resolve = resolve));
  return { promise, resolve: () => made.resolve() };
}

/** A backend that does what a test says. */
export class ControlledBackend implements DiscoveryBackend {
  readonly name = 'controlled';
  readonly registry = new ControlledRegistry();
  readonly source = new ControlledSource();
  closed = 0;
  returnHold?: number;

  constructor(readonly remote = false) {}

  /** Shows a snapshot to those who watch a service. */
  show(service: string, ...instances: readonly ServiceInstance[]): void {
    this.source.of(service).push({ snapshot: instances });
  }

  /** Breaks the stream of a service. */
  break(service: string, error: unknown = new Error('the registry is away')): void {
    this.source.of(service).push({ error });
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}
