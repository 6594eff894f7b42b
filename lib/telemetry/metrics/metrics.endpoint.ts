import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { messageOf } from '../../common/errors.js';
import {
  type ManagementAnswer,
  ManagementEndpoint,
  type ManagementRequest,
} from '../../common/management-endpoint.js';
import { Operators } from '../../common/operators.js';
import { RequestListener } from '../../common/request-listener.js';
import { TELEMETRY_SETTINGS, type TelemetrySettings } from '../telemetry.options.js';
import { measuredMetric, metricNames } from './actuator-metrics.js';
import { Metrics } from './metrics.js';

/**
 * Shows the metrics to those who run the service, at a path of the service itself, `/metrics`, and among the management
 * endpoints. To everybody else the path is not there.
 */
@Injectable()
export class MetricsEndpoint extends ManagementEndpoint {
  override readonly id = 'metrics';
  private readonly logger = new Logger('Metrics');

  constructor(
    private readonly metrics: Metrics,
    private readonly operators: Operators,
    listener: RequestListener,
    @Inject(TELEMETRY_SETTINGS) { metrics: settings }: TelemetrySettings,
  ) {
    super();
    const { path } = settings;
    if (settings.enabled && path !== false) {
      listener.takeFirst((request, response) => this.take(path, request, response), {
        below: path,
      });
    }
  }

  override async answer(request: ManagementRequest): Promise<ManagementAnswer | undefined> {
    // Off, it is undefined.
    if (!(this.metrics instanceof Metrics)) return undefined;
    const { headers, path, query } = request;
    const [name] = path;
    // As Spring Boot Admin asks, which reads no page of Prometheus.
    if (name !== undefined || /\bjson\b/.test(headers.accept ?? '')) {
      const { body } = await this.metrics.page();
      if (name === undefined) return { body: { names: metricNames(body) } };
      const measured = measuredMetric(body, name, query.getAll('tag'));
      return measured && { body: measured };
    }
    return this.metrics.page({ openMetrics: knowsOpenMetrics(headers.accept) });
  }

  private take(path: string, request: IncomingMessage, response: ServerResponse): boolean {
    const { url = '', method } = request;
    if (!url.startsWith(path) || url.split('?', 1)[0] !== path) return false;
    if (method !== 'GET' && method !== 'HEAD') return false;
    if (!this.operators.includes(request)) return false;
    void this.send(request, response);
    return true;
  }

  private async send(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const openMetrics = knowsOpenMetrics(request.headers.accept);
      const { contentType, body } = await this.metrics.page({ openMetrics });
      response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' });
      response.end(body);
    } catch (error) {
      this.logger.error(`The metrics could not be shown: ${messageOf(error)}`);
      response.writeHead(500).end();
    }
  }
}

function knowsOpenMetrics(accept = ''): boolean {
  return accept.includes('application/openmetrics-text');
}
