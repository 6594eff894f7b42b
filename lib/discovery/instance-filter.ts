import type { ServiceInstance } from './service-instance.js';

/** Which instances of a service are wanted; all that is said must fit. */
export interface InstanceFilter {
  /** Tags that it must have, all of them. */
  readonly tags?: readonly string[];
  /** Metadata that it must have, with these values. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly version?: string;
  readonly zone?: string;
}

/** Lists of instances by filter; the same list until the instances are others, so that whoever compares sees no change. */
export class FilteredInstances {
  private readonly known = new WeakMap<
    readonly ServiceInstance[],
    Map<string, readonly ServiceInstance[]>
  >();

  /** Those of a list that a filter lets through. */
  of(instances: readonly ServiceInstance[], filter: InstanceFilter): readonly ServiceInstance[] {
    const { tags = [], metadata = {}, version, zone } = filter;
    const key = JSON.stringify([tags, Object.entries(metadata), version, zone]);
    const lists = this.known.get(instances) ?? new Map<string, readonly ServiceInstance[]>();
    this.known.set(instances, lists);
    const found = lists.get(key) ?? instances.filter((instance) => fits(instance, filter));
    lists.set(key, found);
    return found;
  }
}

function fits(
  instance: ServiceInstance,
  { tags, metadata, version, zone }: InstanceFilter,
): boolean {
  return (
    (tags ?? []).every((tag) => instance.tags.includes(tag)) &&
    Object.entries(metadata ?? {}).every(([key, value]) => instance.metadata[key] === value) &&
    (version === undefined || instance.version === version) &&
    (zone === undefined || instance.zone === zone)
  );
}
