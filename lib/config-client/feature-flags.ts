import { createHash } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { isPlain } from '../common/properties/property-tree.js';
import { ConfigClient } from './config-client.js';

/** What a flag's value says. */
interface Flag {
  readonly enabled: boolean;
  /** From 0 to 100. */
  readonly percentage: number;
  readonly allow: ReadonlySet<string>;
  readonly deny: ReadonlySet<string>;
}

const OFF: Flag = { enabled: false, percentage: 0, allow: new Set(), deny: new Set() };

/**
 * Switches in the configuration, below `features`, that change while the application runs.
 *
 * `features.checkout: true` is on for everyone. `features.checkout: { percentage: 20, allow: [ada], deny: [bob] }` is on
 * for a fifth of all subjects, always the same ones for a flag, for `ada` in any case and for `bob` never; `enabled: false`
 * turns it off for all. A flag that is not there, or that cannot be understood, is off.
 *
 * @example
 * if (this.features.isEnabled('checkout', user.id)) return this.newCheckout(cart);
 */
@Injectable()
export class FeatureFlags {
  private readonly logger = new Logger('Config');
  private readonly told = new Set<string>();
  private read: { readonly of: unknown; readonly flags: Map<string, Flag> } = {
    of: undefined,
    flags: new Map(),
  };

  constructor(private readonly client: ConfigClient) {}

  /** Whether a flag is on for a subject, such as a user's id; without one a percentage below 100 is off. */
  isEnabled(flag: string, subject?: string): boolean {
    const { enabled, percentage, allow, deny } = this.flag(flag);
    if (!enabled || (subject !== undefined && deny.has(subject))) return false;
    if (percentage >= 100 || (subject !== undefined && allow.has(subject))) return true;
    return subject !== undefined && shareOf(flag, subject) < percentage;
  }

  /** Read once for each configuration: a snapshot is never changed. */
  private flag(name: string): Flag {
    const of = this.client.snapshot();
    if (this.read.of !== of) this.read = { of, flags: new Map() };
    const known = this.read.flags.get(name);
    if (known) return known;
    const flag = this.understood(name, this.client.get(`features.${name}`));
    // Names may come from requests; what is not there is not kept.
    if (flag !== OFF) this.read.flags.set(name, flag);
    return flag;
  }

  private understood(name: string, value: unknown): Flag {
    if (value === undefined) return OFF;
    const flag = readFlag(value);
    if (flag) return flag;
    const problem = `features.${name} is no flag and counts as off. Make it true, false, or { percentage: 0 to 100, allow: […], deny: […] }.`;
    if (!this.told.has(name)) this.logger.warn(problem);
    this.told.add(name);
    return OFF;
  }
}

function readFlag(value: unknown): Flag | undefined {
  const on = readSwitch(value);
  if (on !== undefined) return { ...OFF, enabled: on, percentage: 100 };
  if (!isPlain(value)) return undefined;
  const enabled = readSwitch(value['enabled'] ?? true);
  const [allow, deny] = [readList(value['allow']), readList(value['deny'])];
  const fallback = value['allow'] === undefined ? 100 : 0;
  const percentage = Number(value['percentage'] ?? fallback);
  if (enabled === undefined || !allow || !deny) return undefined;
  if (!(percentage >= 0 && percentage <= 100)) return undefined;
  return { enabled, percentage, allow, deny };
}

/** .properties files and variables know texts only. */
function readSwitch(value: unknown): boolean | undefined {
  if (value === true || value === 'true') return true;
  return value === false || value === 'false' ? false : undefined;
}

function readList(value: unknown): ReadonlySet<string> | undefined {
  if (value === undefined || value === '') return new Set();
  if (typeof value === 'string') return new Set(value.split(',').map((item) => item.trim()));
  return Array.isArray(value) ? new Set(value.map(String)) : undefined;
}

/** Where a subject stands between 0 and 100: the same in every process, another for every flag. */
function shareOf(flag: string, subject: string): number {
  const digest = createHash('sha256').update(`${flag}\n${subject}`).digest();
  return (digest.readUInt32BE(0) / 2 ** 32) * 100;
}
