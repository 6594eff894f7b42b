import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { formatDuration } from '../common/duration.js';
import { Availability } from '../health/availability.js';
import { DISCOVERY_SETTINGS, type DiscoverySettings } from './discovery.options.js';
import { EarlyShutdown } from './early-shutdown.js';
import { Registrar } from './registrar.js';
import { RequestsInFlight } from './requests-in-flight.js';

/** How long peers that watch a registry need to hear that an instance has left, with room to spare, in ms. */
const USUAL_DELAY = 200;

/**
 * Leaves politely when the application closes, while every provider still works:
 * readiness turns 503, the registration is taken back, peers get time to notice, connections are closed behind their
 * last answer, and Nest goes on when no request is in flight any more.
 *
 * It comes ahead of all of Nest's hooks (see `EarlyShutdown`), for `app.close()` and for signals after
 * `enableShutdownHooks()` alike.
 */
@Injectable()
export class Drain {
  private readonly logger = new Logger('Discovery');
  private running: Promise<void> | undefined;

  constructor(
    @Inject(DISCOVERY_SETTINGS) private readonly settings: DiscoverySettings,
    private readonly availability: Availability,
    private readonly registrar: Registrar,
    private readonly requests: RequestsInFlight,
    private readonly clock: Clock,
    early: EarlyShutdown,
  ) {
    early.add(() => this.run());
  }

  /** Leaves; a second call waits for the first. It cannot be taken back. */
  run(): Promise<void> {
    this.running ??= this.leave();
    return this.running;
  }

  private async leave(): Promise<void> {
    const { delay, limit } = this.settings.drain;
    const end = this.clock.now() + limit;
    this.availability.become('draining');
    const wasRegistered = await this.registrar.leave();
    await this.clock.sleep(Math.min(limit, delay ?? (wasRegistered ? USUAL_DELAY : 0)));
    this.requests.hangUp();
    const left = await this.requests.finished(Math.max(0, end - this.clock.now()));
    if (left > 0) {
      this.logger.warn(
        `Requests that were not answered within ${formatDuration(limit)} of draining are cut off: ${left}.`,
      );
    }
    await this.requests.close();
  }
}
