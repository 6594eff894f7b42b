// What resilience costs: a policy around a function beside opossum, cockatiel and nothing; and the client beside fetch and
// undici.request on as many connections.
//
//   npm run bench:resilience -- [--only calls|client] [--runs 7] [--json FILE]
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import * as cockatiel from 'cockatiel';
import OpossumBreaker from 'opossum';
import { Agent, fetch as undiciFetch, request as undiciRequest } from 'undici';
import { median } from './support/report.mjs';

/** The connections of each client, and the calls at a time. */
const CONNECTIONS = 32;

const BODY = JSON.stringify({ id: 7, name: 'an item', tags: ['a', 'b'], price: 12.5 });

if (process.argv[2] === 'serve') {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': BODY.length });
    response.end(BODY);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
  process.on('disconnect', () => process.exit());
} else {
  await main();
}

async function main() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      runs: { type: 'string', default: '7' },
      json: { type: 'string' },
    },
  });
  const runs = Number(values.runs);
  const { RookeryModule, Resilience, Resilient, ServiceClient, Upstreams } =
    await import('nest-rookery');
  const { staticInstances } = await import('nest-rookery/discovery');
  const child = fork(fileURLToPath(import.meta.url), ['serve']);
  const [port] = await once(child, 'message');

  class Shop {
    async plain(value) {
      return value;
    }
    async guarded(value) {
      return value;
    }
    async full(value) {
      return value;
    }
  }
  const define = (decorator, name) =>
    decorator(Shop.prototype, name, Object.getOwnPropertyDescriptor(Shop.prototype, name));
  define(Resilient({ timeout: false }), 'guarded');
  define(Resilient({ timeout: { total: '5s', attempt: '1s' }, retry: 2, bulkhead: 100 }), 'full');
  Injectable()(Shop);
  class AppModule {}
  Module({
    imports: [
      RookeryModule.forRoot({
        name: 'bench',
        config: false,
        // As many as undici's agent has; Node's own fetch takes as many as it likes.
        upstreams: { defaults: { connections: CONNECTIONS } },
        discovery: { backend: staticInstances({ items: [`http://127.0.0.1:${port}`] }) },
      }),
    ],
    providers: [Shop],
  })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
  const figures = {};
  if (values.only !== 'client')
    Object.assign(figures, await calls(app, { Resilience, Shop, runs }));
  if (values.only !== 'calls')
    Object.assign(figures, await client(app, { ServiceClient, Upstreams, port, runs }));
  console.log(`\nNode ${process.versions.node}, medians of ${runs} runs, CPU time of this process`);
  if (values.json)
    writeFileSync(values.json, JSON.stringify({ node: process.versions.node, figures }, null, 2));
  child.disconnect();
  await app.close();
  process.exit();
}

async function work(value) {
  return value;
}

function breaker() {
  return cockatiel.circuitBreaker(cockatiel.handleAll, {
    halfOpenAfter: 10_000,
    breaker: new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
  });
}

/** A function that does nothing, 20,000 times, one after the other. */
async function calls(app, { Resilience, Shop, runs }) {
  const shop = app.get(Shop);
  const resilience = app.get(Resilience);
  const opossum = new OpossumBreaker(work, { timeout: false });
  const opossumFull = new OpossumBreaker(work, { timeout: 1_000, capacity: 100 });
  const alone = breaker();
  const wrapped = cockatiel.wrap(
    cockatiel.bulkhead(100, 0),
    cockatiel.timeout(5_000, cockatiel.TimeoutStrategy.Aggressive),
    cockatiel.retry(cockatiel.handleAll, {
      maxAttempts: 2,
      backoff: new cockatiel.ExponentialBackoff(),
    }),
    breaker(),
    cockatiel.timeout(1_000, cockatiel.TimeoutStrategy.Aggressive),
  );
  const options = { timeout: false };
  return compare('µs for each call', runs, 20_000, {
    plain: (value) => shop.plain(value),
    'circuit: opossum': (value) => opossum.fire(value),
    'circuit: cockatiel': (value) => alone.execute(() => work(value)),
    'circuit: @Resilient': (value) => shop.guarded(value),
    'circuit: Resilience.execute': (value) => resilience.execute(options, () => work(value)),
    'time-out, bulkhead, circuit: opossum': (value) => opossumFull.fire(value),
    'all five policies: cockatiel': (value) => wrapped.execute(() => work(value)),
    'all five policies: @Resilient': (value) => shop.full(value),
  });
}

/** GETs of a small JSON over as many connections as there are calls at a time. */
async function client(app, { ServiceClient, Upstreams, port, runs }) {
  const url = `http://127.0.0.1:${port}/items/7`;
  const origin = `http://127.0.0.1:${port}`;
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1 });
  const caller = app.get(ServiceClient);
  const upstream = app.get(Upstreams).get('items');
  return compare(
    'µs of CPU for each GET',
    runs,
    4_000,
    {
      fetch: async () => (await fetch(url)).json(),
      'fetch of undici': async () => (await undiciFetch(url, { dispatcher: agent })).json(),
      'undici.request': async () =>
        (await undiciRequest(`${origin}/items/7`, { dispatcher: agent })).body.json(),
      'Upstream.request': async () => (await upstream.request({ path: '/items/7' })).json(),
      ServiceClient: () => caller.get('items', '/items/7', { coalesce: false }),
    },
    CONNECTIONS,
  );
}

/** All in turn, so that the machine is the same for all. */
async function compare(unit, runs, times, contenders, width = 1) {
  const rounds = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = -1; round < runs; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const began = process.cpuUsage();
      const clock = performance.now();
      await Promise.all(Array.from({ length: width }, () => one(run, times / width)));
      const { user, system } = process.cpuUsage(began);
      const took = performance.now() - clock;
      if (round >= 0)
        rounds[name].push({ cpu: (user + system) / times, rate: (times / took) * 1_000 });
    }
  }
  console.log(`| | ${unit} | calls/s |\n|---|--:|--:|`);
  const figures = {};
  for (const [name, results] of Object.entries(rounds)) {
    const cpu = median(results.map((each) => each.cpu));
    const rate = median(results.map((each) => each.rate));
    figures[name] = { cpuMicros: cpu, rate };
    console.log(`| ${name} | ${cpu.toFixed(2)} | ${rate.toFixed(0)} |`);
  }
  console.log();
  return figures;
}

async function one(run, times) {
  for (let at = 0; at < times; at++) await run(at);
}
