// What the pieces of the hot path cost alone, in ns: the median of several runs, less what an empty loop takes.
//
//   npm run bench:micro -- [--only pick] [--runs 15] [--json FILE]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SystemClock } from '../dist/cjs/common/clock.js';
import { EventHub } from '../dist/cjs/common/event-hub.js';
import { RequestContext } from '../dist/cjs/common/request-context.js';
import { parsePath } from '../dist/cjs/discovery/manifest/path-pattern.js';
import { requestLines } from '../dist/cjs/gateway/proxy/headers.js';
import { RequestTarget } from '../dist/cjs/gateway/proxy/path.js';
import { RouteTable } from '../dist/cjs/gateway/routes/route-table.js';
import { Endpoint } from '../dist/cjs/load-balancing/endpoint.js';
import { LoadBalancer } from '../dist/cjs/load-balancing/load-balancer.js';
import { STRATEGIES } from '../dist/cjs/load-balancing/strategies/built-in.js';
import { Circuit } from '../dist/cjs/resilience/circuit.js';
import { RetryBudget } from '../dist/cjs/resilience/retry-budget.js';
import { ConcurrencyLimit } from '../dist/cjs/upstream/concurrency-limit.js';
import { Deadline, Deadlines } from '../dist/cjs/upstream/deadline-list.js';
import { HistogramSeries } from '../dist/cjs/telemetry/metrics/series.js';
import { median } from './support/report.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '15' },
    json: { type: 'string' },
  },
});
const clock = new SystemClock();
const events = new EventHub();
/** Everything measured adds to it, so that nothing can be optimised away. */
let sink = 0;

const TIMES = 500_000;
const WARM_UP = 3;
const ROUTES = 400;

/** The goals: a gateway's request has room for this much. */
const LIMITS = {
  'pick of 256 endpoints': 40,
  'pick of 256 endpoints, by latency': 40,
  'concurrency limit': 10,
  'retry budget': 10,
  'match of 400 routes': 150,
  circuit: 10,
  deadline: 10,
  'spans nobody records': 10,
};

const texts = (make) => Array.from({ length: ROUTES }, (_, number) => Buffer.from(make(number)));
const paths = texts((number) => `/service${number >> 1}/items/${number * 7_919}`);

/** What comes off the wire is new each time: a text that was seen before would be found by its identity. */
const fresh = (list, at) => list[at % ROUTES].latin1Slice();

function balancer(count) {
  const made = new LoadBalancer({
    clock,
    events,
    strategy: STRATEGIES['peak-ewma'](),
    create: (instance) => new Endpoint(instance),
  });
  made.update(
    Array.from({ length: count }, (_, number) => ({
      id: `items-${number}`,
      service: 'items',
      host: '10.0.0.1',
      port: 3_000 + number,
      scheme: 'http',
      status: 'up',
      weight: 1,
      metadata: {},
    })),
  );
  // Some have more under way than others.
  for (const [number, endpoint] of made.endpoints.entries()) {
    endpoint.active = number & 3;
    endpoint.latency = 1 + (number & 7);
  }
  return made;
}

function pickOf(count, name = 'least-request') {
  const { strategy, candidates } = {
    strategy: STRATEGIES[name](),
    candidates: balancer(count).candidates,
  };
  return (times) => {
    for (let at = 0; at < times; at++) sink += strategy.pick(candidates).active;
  };
}

/** The whole of it, with the notes on the endpoint. */
function pickAndComplete(count) {
  const made = balancer(count);
  return (times) => {
    for (let at = 0; at < times; at++) {
      const endpoint = made.pick();
      sink += endpoint.active;
      made.complete(endpoint, 'success', 1);
    }
  };
}

function matchOfAllRoutes() {
  const explicit = Array.from({ length: ROUTES }, (_, number) => {
    const path = `/service${number >> 1}/${number & 1 ? 'items/:id' : '{*rest}'}`;
    const route = { id: path, path, methods: [], hosts: [], order: 0 };
    return { route, pattern: parsePath(path), target: undefined };
  });
  const table = new RouteTable({ local: [], explicit, discovered: [] });
  return (times) => {
    for (let at = 0; at < times; at++) sink += table.match('GET', fresh(paths, at), '').route.order;
  };
}

function freshTexts(times) {
  for (let at = 0; at < times; at++) sink += fresh(paths, at).length;
}

function circuitOf() {
  const settings = {
    window: 30_000,
    minimumCalls: 20,
    failureRate: 50,
    openFor: 5_000,
    halfOpenCalls: 3,
    slowCallRate: 100,
    slowCall: 60_000,
  };
  const circuit = new Circuit('items', settings, clock, events);
  const now = clock.now();
  return (times) => {
    for (let at = 0; at < times; at++) {
      if (circuit.allow()) circuit.succeeded(circuit.generation, now);
    }
    sink += circuit.generation;
  };
}

/** In and out, with the answer noted. */
function limitOf() {
  const limit = new ConcurrencyLimit({ min: 32, max: 4_096, tolerance: 2, latency: 200 });
  const now = clock.now();
  limit.answered(5, now);
  return (times) => {
    for (let at = 0; at < times; at++) {
      if (!limit.enter()) continue;
      limit.leave();
      limit.answered(5, now);
    }
    sink += limit.limit;
  };
}

function budgetOf() {
  const budget = new RetryBudget(0.2);
  return (times) => {
    for (let at = 0; at < times; at++) budget.deposit();
    sink += budget.left ? 1 : 0;
  };
}

class Wait extends Deadline {
  expire() {
    sink++;
  }
}

/** Set and clear, with 64 others under way. */
function deadlineOf() {
  const deadlines = new Deadlines(clock);
  const now = clock.now();
  const waits = Array.from({ length: 64 }, () => new Wait());
  for (const wait of waits) deadlines.set(wait, 30_000, now);
  const wait = new Wait();
  return (times) => {
    for (let at = 0; at < times; at++) {
      deadlines.set(wait, 30_000, now);
      deadlines.clear(wait);
    }
  };
}

/** A request's span and that of the call it makes, where no SDK of OpenTelemetry is there. */
function unrecorded() {
  const context = new RequestContext(clock);
  const scope = context.open({ traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01` });
  const step = { name: 'GET' };
  return (times) => {
    for (let at = 0; at < times; at++) {
      if (scope.span === undefined && context.step(scope, step) === undefined) sink += 1;
    }
  };
}

/** Durations of a fast service, most of them in the first buckets. */
function histogramOf() {
  const series = new HistogramSeries([
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]);
  const durations = Float64Array.from({ length: 64 }, (_, number) => 0.0004 * (1 + (number & 15)));
  return (times) => {
    for (let at = 0; at < times; at++) sink += series.record(durations[at & 63]);
  };
}

function canonicalPath(list) {
  const target = new RequestTarget();
  return (times) => {
    for (let at = 0; at < times; at++) if (target.read(fresh(list, at))) sink += target.path.length;
  };
}

function headerLines() {
  const raw = [
    ['Host', '127.0.0.1:8100'],
    ['accept', 'application/json, text/plain, */*'],
    [
      'user-agent',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36',
    ],
    ['accept-language', 'en-GB,en;q=0.9'],
    ['accept-encoding', 'gzip, deflate, br'],
    ['authorization', `Bearer ${'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9'.repeat(3)}`],
    ['x-request-id', '0f8fad5b-d9cb-469f-a165-70867728950e'],
    ['connection', 'keep-alive'],
  ].flat();
  const by = { address: '127.0.0.1', proto: 'http', trusted: false };
  return (times) => {
    // Written down as for a socket, because a text is put together only when it is read.
    for (let at = 0; at < times; at++)
      sink += Buffer.from(requestLines(raw, by, 'gw.example'), 'latin1').length;
  };
}

const CASES = {
  'pick of 4 endpoints': { run: pickOf(4) },
  'pick of 16 endpoints': { run: pickOf(16) },
  'pick of 256 endpoints': { run: pickOf(256) },
  'pick of 256 endpoints, by latency': { run: pickOf(256, 'peak-ewma') },
  'pick and complete, 256 endpoints': { run: pickAndComplete(256) },
  'concurrency limit': { run: limitOf() },
  'retry budget': { run: budgetOf() },
  'match of 400 routes': { run: matchOfAllRoutes(), less: freshTexts },
  circuit: { run: circuitOf() },
  deadline: { run: deadlineOf() },
  histogram: { run: histogramOf() },
  'spans nobody records': { run: unrecorded() },
  'canonical path, as it stands': { run: canonicalPath(paths), less: freshTexts },
  'canonical path, to be made': {
    run: canonicalPath(texts((number) => `/service${number >> 1}/./items/%61${number}`)),
    less: freshTexts,
  },
  'header lines, 8 fields, as bytes': { run: headerLines() },
};

/** The cheapest loop there is. */
function emptyLoop(times) {
  for (let at = 0; at < times; at++) sink += at & 1;
}

const results = {};
console.log('| piece | ns | goal |\n|---|--:|--:|');
for (const [name, { run, less = emptyLoop }] of Object.entries(CASES)) {
  if (!name.includes(values.only)) continue;
  results[name] = nanoseconds(run, less);
  const limit = LIMITS[name] === undefined ? '' : `< ${LIMITS[name]}`;
  console.log(`| ${name} | ${results[name].toFixed(1)} | ${limit} |`);
}
console.log(
  `\nNode ${process.versions.node}, medians of ${values.runs} runs of ${TIMES} times; ${sink === 0 ? 'nothing ran' : 'all ran'}`,
);
if (values.json)
  writeFileSync(
    values.json,
    JSON.stringify({ node: process.versions.node, nanoseconds: results }, null, 2),
  );
process.exit();

/** What one time costs more than the same loop without it; both in turn, so that the machine is the same for both. */
function nanoseconds(run, less) {
  const differences = [];
  for (let round = -WARM_UP; round < Number(values.runs); round++) {
    const difference = timed(run) - timed(less);
    if (round >= 0) differences.push(difference);
  }
  return Math.max(0, median(differences));
}

/** CPU time and not the time of day: others may have the core meanwhile. */
function timed(run) {
  const began = process.cpuUsage();
  run(TIMES);
  const { user, system } = process.cpuUsage(began);
  return ((user + system) * 1_000) / TIMES;
}
