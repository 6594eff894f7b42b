import type { Logger } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';

/** An outage shorter than this, in ms, such as a restart, heals by itself and is not worth a person's attention. */
const GRACE = 1_000;

/** What an outage is told with. */
export interface ConfigOutageParts {
  readonly source: string;
  readonly clock: Clock;
  readonly events: EventHub;
  readonly logger: Logger;
}

/** Whether the source of configuration answers, told once when that changes. */
export class ConfigOutage {
  /** Why the source does not answer. */
  away: string | undefined;
  private hasWarned = false;
  private cancelWarning: () => void = () => {};

  constructor(private readonly parts: ConfigOutageParts) {}

  /** The application starts without an answer; `values` says with what. */
  startedWithout(reason: string, values: string): void {
    const { source, events, logger } = this.parts;
    this.away = reason;
    this.hasWarned = true;
    events.emit('config.unreachable', { source, reason });
    logger.warn(`No configuration from ${source}: ${clause(reason, source)}. ${values}`);
  }

  /** An attempt failed; `tell` is false during the start, which says it itself. */
  lost(reason: string, tell: boolean): void {
    const { source, clock, events, logger } = this.parts;
    const before = this.away;
    this.away = reason;
    if (!tell || before !== undefined) return;
    events.emit('config.unreachable', { source, reason });
    this.cancelWarning = clock.after(GRACE, () => {
      this.hasWarned = true;
      logger.warn(
        `The configuration from ${source} cannot be read: ${clause(this.away ?? reason, source)}. The last good values stay in use, and it is tried again.`,
      );
    });
  }

  /** The source has answered. */
  found(tell: boolean): void {
    const { source, events, logger } = this.parts;
    const before = this.away;
    this.away = undefined;
    if (!tell || before === undefined) return;
    this.cancelWarning();
    events.emit('config.reachable', { source });
    if (this.hasWarned) logger.log(`The configuration from ${source} is live again.`);
    this.hasWarned = false;
  }

  close(): void {
    this.cancelWarning();
  }
}

/** A sentence as a part of another one, which has named the source already. */
export function clause(sentence: string, source: string): string {
  const prefix = `${source}: `;
  const rest = sentence.startsWith(prefix) ? sentence.slice(prefix.length) : sentence;
  return rest.replace(/\.$/, '');
}
