import { isDeepStrictEqual } from 'node:util';
import type { ServiceInstance } from './service-instance.js';

/** What is different between the instances known before and a new list of them. */
export interface InstanceDiff {
  /** The new list; instances that did not change are the objects known before. */
  readonly all: readonly ServiceInstance[];
  readonly added: readonly ServiceInstance[];
  readonly removed: readonly ServiceInstance[];
  readonly changed: readonly ServiceInstance[];
}

/**
 * Compares by id and content.
 *
 * Unchanged instances keep their identity, because connection pools and statistics hang on it.
 */
export function diffInstances(
  before: readonly ServiceInstance[],
  now: readonly ServiceInstance[],
): InstanceDiff {
  return haveSameIds(before, now) ? diffInPlace(before, now) : diffById(before, now);
}

/** Mostly a status has changed, and nothing has come or gone. */
function haveSameIds(before: readonly ServiceInstance[], now: readonly ServiceInstance[]): boolean {
  return before.length === now.length && before.every(({ id }, n) => id === now[n]!.id);
}

function diffInPlace(
  before: readonly ServiceInstance[],
  now: readonly ServiceInstance[],
): InstanceDiff {
  const changed: ServiceInstance[] = [];
  const all = now.map((instance, n) => {
    if (isDeepStrictEqual(before[n], instance)) return before[n]!;
    changed.push(instance);
    return instance;
  });
  return { all, added: [], removed: [], changed };
}

function diffById(
  before: readonly ServiceInstance[],
  now: readonly ServiceInstance[],
): InstanceDiff {
  const known = new Map(before.map((instance) => [instance.id, instance]));
  const next = new Map(now.map((instance) => [instance.id, instance]));
  const added: ServiceInstance[] = [];
  const changed: ServiceInstance[] = [];
  for (const [id, instance] of next) {
    const old = known.get(id);
    if (!old) added.push(instance);
    else if (isDeepStrictEqual(old, instance)) next.set(id, old);
    else changed.push(instance);
  }
  const removed = before.filter(({ id }) => !next.has(id));
  return { all: [...next.values()], added, removed, changed };
}
