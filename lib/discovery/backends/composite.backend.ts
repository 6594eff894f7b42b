import { refuse } from '../../common/option-readers.js';
import type { BackendContext, BackendFactory, DiscoveryBackend } from '../discovery-backend.js';
import { InstanceSource } from '../instance-source.js';
import type { ServiceInstance } from '../service-instance.js';
import type { ServiceRegistry } from '../service-registry.js';
import { CompositeRegistry } from './composite-lease.js';
import { type Choose, CompositeStream, type Open } from './composite-stream.js';
import { distinct } from './shared-stream.js';

/**
 * Several backends as one, in the order in which they are believed: of each service, the first that has instances of it.
 *
 * While a backend does not answer, the next one is believed, and if none has instances, what was known stays. An
 * application registers with every backend it can write to, so the second registry knows what the first did.
 *
 * @throws InvalidOptionsError when it is given no backend
 * @example
 * composite(staticInstances({ payments: ['https://payments.example'] }), consul());
 */
export function composite(...members: readonly BackendFactory[]): BackendFactory {
  if (members.length === 0) {
    refuse('composite', 'has no backend', 'Give at least one, such as composite(consul()).');
  }
  return (context) => new CompositeBackend(members, context);
}

class CompositeBackend implements DiscoveryBackend {
  readonly name: string;
  readonly remote: boolean;
  readonly registry?: ServiceRegistry;
  readonly source: InstanceSource;
  private readonly members: readonly DiscoveryBackend[];

  constructor(factories: readonly BackendFactory[], context: BackendContext) {
    this.members = factories.map((make) => make(context));
    this.name = this.members.map(({ name }) => name).join(' + ');
    this.remote = this.members.some((member) => member.remote && member.registry);
    const writable = this.members.filter((member) => member.registry !== undefined);
    if (writable.length > 0) this.registry = new CompositeRegistry(writable, context);
    this.source = new CompositeSource(this.members, context);
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map(async (member) => member.close?.()));
  }
}

class CompositeSource extends InstanceSource {
  constructor(
    private readonly members: readonly DiscoveryBackend[],
    private readonly context: BackendContext,
  ) {
    super();
  }

  override instances(
    service: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServiceInstance[]> {
    const open = ({ source }: DiscoveryBackend, given: AbortSignal) =>
      source.instances(service, given);
    return distinct(this.merge(`the instances of ${service}`, open, believe).read(signal));
  }

  override services(signal: AbortSignal): AsyncIterable<readonly string[]> {
    return distinct(this.merge('the services', openServices, unite).read(signal));
  }

  private merge<T>(what: string, open: Open<T>, choose: Choose<T>): CompositeStream<T> {
    const { members, context } = this;
    return new CompositeStream({ members, context, what, open, choose });
  }
}

const openServices: Open<readonly string[]> = ({ source }, signal) => source.services(signal);

/** The first that answers and has instances; else what somebody who does not answer was the last to show. */
const believe: Choose<readonly ServiceInstance[]> = (voices) =>
  voices.find(({ broken, latest }) => !broken && hasAny(latest))?.latest ??
  voices.find(({ latest }) => hasAny(latest))?.latest ??
  [];

const unite: Choose<readonly string[]> = (voices) =>
  [...new Set(voices.flatMap(({ latest }) => latest ?? []))].toSorted();

function hasAny(list: readonly unknown[] | undefined): boolean {
  return list !== undefined && list.length > 0;
}
