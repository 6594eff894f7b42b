import { Injectable } from '@nestjs/common';
import { type Measurement, MeasurementSource } from '../common/measurements.js';
import type { Upstream } from './upstream.js';
import { Upstreams } from './upstreams.js';

const STATES = ['healthy', 'ejected', 'probation'] as const;

/** How busy the ways to other services are: connections, calls and endpoints of each upstream. */
@Injectable()
export class UpstreamsMeasurements extends MeasurementSource {
  constructor(private readonly upstreams: Upstreams) {
    super();
  }

  override *measure(): Iterable<Measurement> {
    for (const upstream of this.upstreams.all()) yield* measured(upstream);
  }
}

function* measured({ name: callee, endpoints }: Upstream): Iterable<Measurement> {
  const figures = endpoints.map(({ channel }) => channel.figures);
  const connections = sum(figures.map((each) => each.connections));
  const idle = sum(figures.map((each) => each.idle));
  const busy = connections - idle;
  yield { name: 'pool.connections', value: idle, labels: { callee, state: 'idle' } };
  yield { name: 'pool.connections', value: busy, labels: { callee, state: 'busy' } };
  yield { name: 'pool.queued', value: sum(figures.map((each) => each.queued)), labels: { callee } };
  yield {
    name: 'calls.active',
    value: sum(endpoints.map((each) => each.active)),
    labels: { callee },
  };
  for (const state of STATES) {
    const value = endpoints.filter((endpoint) => endpoint.state === state).length;
    yield { name: 'endpoints', value, labels: { callee, state } };
  }
  const expiries = figures.flatMap(({ certificateExpiry }) => certificateExpiry ?? []);
  if (expiries.length > 0) {
    const value = Math.min(...expiries) / 1_000;
    yield { name: 'certificate.expiry', value, labels: { use: 'callee', of: callee } };
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
