import { statfs } from 'node:fs/promises';
import type {
  HealthContributor,
  HealthContributorOptions,
  HealthReport,
} from '../health-contributor.js';
import { CheckContributor } from './check.contributor.js';

/** From where on a disk is too full. */
export interface DiskLimits extends HealthContributorOptions {
  /** A path on it. @default '/' */
  readonly path?: string;
  /** The share of it that may be in use, from 0 to 1. @default 0.9 */
  readonly used?: number;
}

/**
 * Whether a disk has room left.
 *
 * @example
 * diskHealth({ path: '/var/lib/orders', used: 0.8 })
 */
export function diskHealth({
  path = '/',
  used = 0.9,
  ...options
}: DiskLimits = {}): HealthContributor {
  return new CheckContributor('disk', () => look(path, used), { critical: false, ...options });
}

async function look(path: string, most: number): Promise<HealthReport> {
  const { blocks, bavail } = await statfs(path);
  const used = Number((1 - bavail / blocks).toFixed(3));
  return { status: used >= most ? 'down' : 'up', details: { used } };
}
