import type { ServiceInstance } from '../discovery/service-instance.js';

/** Which instances of a service are called; each thing said must hold. */
export interface SubsetOptions {
  /** A version, or how it begins: `'2'` and `'2.x'` are 2.0.0, 2.1.4 and so on; `'2.1+'` is that one and every later one. */
  readonly version?: string;
  /** Metadata that the instance has, value for value. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Tags that it has, all of them. */
  readonly tags?: readonly string[];
  /** What to do when no instance fits: call any, or none. @default 'none' */
  readonly otherwise?: 'any' | 'none';
}

/** The instances that fit. */
export function subsetOf(
  instances: readonly ServiceInstance[],
  subset: SubsetOptions | undefined,
): readonly ServiceInstance[] {
  if (subset === undefined) return instances;
  const fitting = instances.filter((instance) => fits(instance, subset));
  return fitting.length === 0 && subset.otherwise === 'any' ? instances : fitting;
}

/** Whether an instance is of a subset. */
function fits(instance: ServiceInstance, subset: SubsetOptions): boolean {
  const { version, metadata = {}, tags = [] } = subset;
  return (
    (version === undefined || isOfVersion(instance.version, version)) &&
    tags.every((tag) => instance.tags.includes(tag)) &&
    Object.entries(metadata).every(([key, value]) => instance.metadata[key] === value)
  );
}

function isOfVersion(version: string | undefined, wanted: string): boolean {
  if (version === undefined) return false;
  const has = version.split('.');
  const atLeast = wanted.endsWith('+');
  const asked = (atLeast ? wanted.slice(0, -1) : wanted).split('.');
  if (!atLeast) return asked.every((part, at) => part === 'x' || has[at] === part);
  for (const [at, part] of asked.entries()) {
    const difference = Number.parseInt(has[at] ?? '0', 10) - Number.parseInt(part, 10);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
