// What a change of many routes in discovery costs the gateway: a service that publishes 1,000 routes is replaced by another
// build of it, all of whose paths are others, again and again; first at rest, to see the CPU, then under steady requests, none of
// which may be lost. Ends with 1 when a change takes more CPU than it may, or a request is lost.
//
//   npm run bench:routes -- [--routes 1000] [--changes 20]
import 'reflect-metadata';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RookeryModule } from 'nest-rookery';
import { EventHub } from 'nest-rookery/common';
import { InstanceSource } from 'nest-rookery/discovery';
import { GatewayRoutes } from 'nest-rookery/gateway';
import { steadyLoad } from './support/load.mjs';
import { instanceWith } from './support/published-routes.mjs';

const { values } = parseArgs({
  options: {
    routes: { type: 'string', default: '1000' },
    changes: { type: 'string', default: '20' },
  },
});
/** What one change may cost, in ms of CPU. */
const MOST = 50;
const count = Number(values.routes);
const changes = Number(values.changes);

/** A registry that says what it is told. */
class ToldSource extends InstanceSource {
  #wake = [];
  #now = [];

  tell(instances) {
    this.#now = instances;
    for (const wake of this.#wake.splice(0)) wake();
  }

  async *instances(_service, signal) {
    while (!signal.aborted) {
      const told = this.#now;
      yield told;
      if (told === this.#now) await new Promise((resolve) => this.#wake.push(resolve));
    }
  }

  async *services(signal) {
    yield ['items'];
    await once(signal, 'abort').catch(() => {});
  }
}

const upstream = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
await once(upstream, 'listening');
const { port } = upstream.address();
const source = new ToldSource();
// Made beforehand: that is the work of the services.
const made = (name) => [instanceWith({ service: 'items', port, build: name, count })];
const prepared = (name, number) =>
  new Map(Array.from({ length: number }, (_, at) => [`${name}${at}`, made(`${name}${at}`)]));
const builds = new Map([
  ...prepared('rest', changes),
  ...prepared('load', 50),
  ['first', made('first')],
]);
const build = (name) => source.tell(builds.get(name));
build('first');

class AppModule {}
Module({
  imports: [
    RookeryModule.forRoot({
      name: 'bench',
      config: false,
      discovery: { backend: () => ({ name: 'told', remote: false, source }) },
      gateway: {},
    }),
  ],
})(AppModule);
const app = await NestFactory.create(AppModule, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
const routes = app.get(GatewayRoutes);
const events = app.get(EventHub);
await until('first');

const costs = [];
for (let at = 0; at < changes; at++) costs.push(await change(`rest${at}`));
const live = routes.list().length;

const load = steadyLoad({
  core: '0,1',
  port: app.getHttpServer().address().port,
  path: '/api/x',
  seconds: 5,
  rate: 500,
});
let under = 0;
for (const end = performance.now() + 5_000; performance.now() < end; under++) {
  await change(`load${under}`);
  await pause(100);
}
const { requests, p50, p99, errors } = await load;

// The first changes also compile our own code.
const sorted = costs.slice(2).toSorted((a, b) => a - b);
const [median, worst] = [sorted[sorted.length >> 1], sorted.at(-1)];
console.log(
  `${live} routes live; a change of ${count} of them costs ${median.toFixed(1)} ms of CPU (median of ${sorted.length}, at most ${worst.toFixed(1)} ms; the very first ${costs[0].toFixed(1)} ms; bound: ${MOST})`,
);
console.log(
  `${under} changes within 5 s at 500 requests/s: ${requests} right, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${errors || 'none lost'}`,
);
process.exit(median < MOST && errors === '' ? 0 : 1);

/** Tells of another build, and gives the CPU time, in ms, until its routes are served. */
async function change(name) {
  const before = process.cpuUsage();
  build(name);
  await until(name);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Waits for the first table that has a build's routes. */
function until(name) {
  const path = `/api/items/resource-0-${name}/:id`;
  const isLive = () => routes.list().some((route) => route.path === path);
  if (isLive()) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = events.on('routes.changed', () => {
      if (!isLive()) return;
      stop();
      resolve();
    });
  });
}
