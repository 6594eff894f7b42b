import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { formatDuration } from '../../common/duration.js';
import { HealthContributor, type HealthReport } from '../health-contributor.js';
import { HEALTH_SETTINGS, type HealthSettings } from '../health.options.js';

/** How often Node looks at the delay, in ms; its figures contain this time. */
const RESOLUTION = 20;

/**
 * Says whether the event loop keeps up: the mean delay since the last check, because a single long turn is no illness.
 */
@Injectable()
export class EventLoopContributor
  extends HealthContributor
  implements OnModuleInit, OnModuleDestroy
{
  override readonly name = 'event-loop';
  override readonly groups = ['liveness'] as const;
  private readonly histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION });

  constructor(@Inject(HEALTH_SETTINGS) private readonly settings: HealthSettings) {
    super();
  }

  onModuleInit(): void {
    this.histogram.enable();
  }

  onModuleDestroy(): void {
    this.histogram.disable();
  }

  override check(): HealthReport {
    const delay = milliseconds(this.histogram.mean);
    const longest = milliseconds(this.histogram.max);
    // Without a sample the mean is no number, and max a leftover.
    const samples = this.histogram.count > 0;
    this.histogram.reset();
    const { degraded, down } = this.settings.eventLoop;
    if (!samples) return { status: 'up' };
    const details = { delay: formatDuration(delay), longest: formatDuration(longest) };
    if (delay >= down) return { status: 'down', details };
    return { status: delay >= degraded ? 'degraded' : 'up', details };
  }
}

function milliseconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION);
}
