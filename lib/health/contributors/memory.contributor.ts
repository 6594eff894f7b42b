import { getHeapStatistics } from 'node:v8';
import type {
  HealthContributor,
  HealthContributorOptions,
  HealthReport,
} from '../health-contributor.js';
import { CheckContributor } from './check.contributor.js';

/** From where on a process needs too much memory. */
export interface MemoryLimits extends HealthContributorOptions {
  /** The share of the heap that V8 may have, from 0 to 1. @default 0.95 */
  readonly heap?: number;
  /** Of the whole process, in megabytes. @default no limit */
  readonly rss?: number;
}

/**
 * Whether the process has memory left; beyond a limit it is `degraded`, and `down` when the check is critical.
 *
 * @example
 * memoryHealth({ heap: 0.9, rss: 900 })
 */
export function memoryHealth({
  heap = 0.95,
  rss,
  ...options
}: MemoryLimits = {}): HealthContributor {
  return new CheckContributor('memory', () => look(heap, rss), { critical: false, ...options });
}

function look(heap: number, limit = Number.POSITIVE_INFINITY): HealthReport {
  const { used_heap_size: used, heap_size_limit: most } = getHeapStatistics();
  const rss = Math.round(process.memoryUsage.rss() / 1_048_576);
  const details = { heap: Number((used / most).toFixed(3)), rss };
  return { status: used / most >= heap || rss >= limit ? 'down' : 'up', details };
}
