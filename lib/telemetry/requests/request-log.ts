import { Inject, Injectable } from '@nestjs/common';
import { RookeryLogger } from '../rookery-logger.js';
import { TELEMETRY_SETTINGS, type TelemetrySettings } from '../telemetry.options.js';
import { type OwnRequest, OwnRequests } from './own-requests.js';

/** Writes a line for each request that the service's own handlers have answered, when that is wanted. */
@Injectable()
export class RequestLog {
  constructor(
    private readonly logger: RookeryLogger,
    requests: OwnRequests,
    @Inject(TELEMETRY_SETTINGS) { accessLog, logs }: TelemetrySettings,
  ) {
    if (accessLog && logs) requests.onEnded((request) => this.write(request));
  }

  private write({ request, scope, route, status, duration }: OwnRequest): void {
    const { method, url = '' } = request;
    // The query stays out: it may hold secrets.
    const path = url.split('?', 1)[0];
    const ms = Math.round(duration * 10) / 10;
    this.logger.answered({ method, path, route, status, ms }, scope);
  }
}
