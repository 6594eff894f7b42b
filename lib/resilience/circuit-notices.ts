import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { formatDuration } from '../common/duration.js';
import { EventHub } from '../common/event-hub.js';
import type { CircuitChange, CircuitOpening } from './resilience.events.js';

/** Tells a person that a circuit has opened, and that it is closed again; once each, however often it is tried between. */
@Injectable()
export class CircuitNotices implements OnApplicationShutdown {
  private readonly logger = new Logger('Resilience');
  private readonly open = new Set<string>();
  private readonly endings: readonly (() => void)[];

  constructor(events: EventHub) {
    this.endings = [
      events.on('circuit.opened', (opening) => this.opened(opening)),
      events.on('circuit.closed', (change) => this.closed(change)),
    ];
  }

  onApplicationShutdown(): void {
    for (const end of this.endings) end();
  }

  private opened({ circuit, window, openFor }: CircuitOpening): void {
    const { name, calls, failures, slowCalls, forced } = circuit;
    if (this.open.has(name)) return;
    this.open.add(name);
    if (forced) {
      this.logger.warn(
        `The circuit of "${name}" was opened by hand. Calls fail at once until it is closed by hand.`,
      );
      return;
    }
    const what =
      slowCalls > failures
        ? `${slowCalls} of ${calls} calls were slow`
        : `${failures} of ${calls} calls failed`;
    this.logger.warn(
      `The circuit of "${name}" is open: ${what} within ${formatDuration(window)}. Calls fail at once until it is tried again in ${formatDuration(openFor)}.`,
    );
  }

  private closed({ circuit: { name } }: CircuitChange): void {
    if (this.open.delete(name)) {
      this.logger.log(`The circuit of "${name}" is closed again: its calls succeed.`);
    }
  }
}
