// Ours: a real Nest application that RookeryModule makes a gateway. ADAPTER is express or fastify; FEATURES=off leaves
// out what can be left out, to see what the rest costs.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RookeryModule } from 'nest-rookery';
import { EventHub } from 'nest-rookery/common';
import { staticInstances } from 'nest-rookery/discovery';
import { jwt } from 'nest-rookery/security';

const { PORT, UPSTREAMS, FEATURES, ADAPTER, BODY_LIMIT, FAST_LANE, SECURITY, METRICS, TRACING } =
  process.env;
const origins = UPSTREAMS.split(',');
const limits = BODY_LIMIT === undefined ? {} : { body: Number(BODY_LIMIT) };

const fastLane = FAST_LANE !== 'off';

/** Every request shows a token, and is counted. */
const security = SECURITY === 'on' && {
  authenticators: [
    jwt({
      issuer: 'bench',
      audience: 'bench',
      keys: JSON.parse(process.env.BENCH_KEYS),
      algorithms: ['ES256', 'RS256'],
    }),
  ],
  rateLimits: [{ limit: 1_000_000_000, per: '1m' }],
};

/** Balancing over all instances, circuit, ejection, retries, deadlines, metrics, access log. */
const on = {
  discovery: { backend: staticInstances({ items: origins }) },
  gateway: {
    fastLane,
    routes: [{ path: '/api/{*rest}', to: 'items' }],
    accessLog: true,
    limits,
    ...(security && { security }),
  },
  // Those of a user, in place of what is counted below.
  ...(METRICS === 'on' && { metrics: true }),
  ...(TRACING === 'off' && { tracing: false }),
  // The load has 64 connections, and none of its requests is one too many.
  upstreams: { defaults: { concurrency: { min: 64 } } },
};

const off = {
  discovery: { backend: staticInstances({}) },
  gateway: { fastLane, routes: [{ path: '/api/{*rest}', to: origins[0], timeout: 0 }] },
  upstreams: {
    defaults: {
      circuit: false,
      outlier: false,
      retry: false,
      concurrency: false,
      timeouts: { response: 0, idle: 0 },
    },
  },
};

class AppModule {}
Module({
  imports: [
    RookeryModule.forRoot({ name: 'bench', config: false, ...(FEATURES === 'off' ? off : on) }),
  ],
})(AppModule);

const adapter =
  ADAPTER === 'fastify'
    ? new (await import('@nestjs/platform-fastify')).FastifyAdapter()
    : new (await import('@nestjs/platform-express')).ExpressAdapter();
const app = await NestFactory.create(AppModule, adapter, { logger: ['error'] });
if (FEATURES !== 'off' && METRICS === undefined) countRequests(app.get(EventHub));
await app.listen(Number(PORT), '127.0.0.1');

/** What metrics do for a request: its counts by route, method and class of status, and its time in a histogram's bucket. */
function countRequests(events) {
  const bounds = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
  const series = new Map();
  events.on('request.proxied', ({ route, method, status, duration }) => {
    let methods = series.get(route.id);
    if (methods === undefined) series.set(route.id, (methods = new Map()));
    let counts = methods.get(method);
    if (counts === undefined) methods.set(method, (counts = newCounts()));
    counts.statuses[(status / 100) | 0]++;
    counts.sum += duration;
    let bucket = 0;
    while (bucket < bounds.length && duration > bounds[bucket]) bucket++;
    counts.buckets[bucket]++;
  });
  function newCounts() {
    return { statuses: new Float64Array(6), sum: 0, buckets: new Float64Array(bounds.length + 1) };
  }
}
