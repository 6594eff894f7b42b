// What a thousand services of ten instances cost the one who watches all of them, at rest and while much changes.
//
//   npm run bench:consul-scale -- [--services 1000] [--storm 30] [--processes 3]
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startAgent } from '../test/support/consul/agent.mjs';
import { connectionsTo, load, startGateway } from './support/gateway-process.mjs';

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: '1000' },
    storm: { type: 'string', default: '30' },
    processes: { type: 'string', default: '3' },
  },
});
const SERVICES = Number(values.services);
const INSTANCES = 10;
const CHANGES = 150;

const agent = await startAgent();
const agentPort = Number(new URL(agent.url).port);
const upstream = createServer((_, response) => response.end('fine')).listen(0, '127.0.0.1');
await new Promise((resolve) => upstream.once('listening', resolve));
const { port } = upstream.address();

async function put(path, body) {
  const answer = await fetch(`${agent.url}/v1/${path}`, {
    method: 'PUT',
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${(await answer.text()).slice(0, 200)}`);
}

const checkOf = (service, n, status) => ({
  Check: {
    Verb: 'set',
    Check: {
      Node: 'ext',
      CheckID: `${service}-${n}`,
      Name: 'heartbeat',
      Status: status,
      ServiceID: `${service}-${n}`,
      Output: 'up',
    },
  },
});

async function fill() {
  await put('catalog/register', { Node: 'ext', Address: '127.0.0.1' });
  const operations = [];
  for (let s = 0; s < SERVICES; s++) {
    for (let n = 0; n < INSTANCES; n++) {
      const Service = {
        ID: `svc-${s}-${n}`,
        Service: `svc-${s}`,
        Port: port,
        Address: '127.0.0.1',
        Tags: ['blue'],
        Meta: { version: '1.2.3', scheme: 'http' },
      };
      operations.push({ Service: { Verb: 'set', Node: 'ext', Service } });
      operations.push(checkOf(`svc-${s}`, n, 'passing'));
    }
  }
  for (let at = 0; at < operations.length; at += 64)
    await put('txn', operations.slice(at, at + 64));
}

/** Flips checks of services chosen at random, so many a second, until it is stopped. */
function storm() {
  let changes = 0;
  const down = new Set();
  const timer = setInterval(() => {
    const batch = Array.from({ length: CHANGES / 10 }, () => {
      const service = `svc-${1 + Math.floor(Math.random() * (SERVICES - 1))}`;
      const n = Math.floor(Math.random() * INSTANCES);
      const key = `${service}-${n}`;
      const status = down.delete(key) ? 'passing' : 'critical';
      if (status === 'critical') down.add(key);
      return checkOf(service, n, status);
    });
    changes += batch.length;
    put('txn', batch).catch((error) => console.error(error));
  }, 100);
  return () => {
    clearInterval(timer);
    return changes;
  };
}

async function cpuShare(gateway, ms) {
  const from = await gateway.ask('cpu');
  await pause(ms);
  const to = await gateway.ask('cpu');
  return (to.user + to.system - from.user - from.system) / 10 / (to.at - from.at);
}

async function traffic(gateway, ms) {
  const stop = load(gateway.port, 100);
  await pause(ms);
  return stop();
}

/** Heartbeats of somebody else on this host; how many failed, and how long the slowest took. */
function beat() {
  let failed = 0;
  let slowest = 0;
  let beats = 0;
  const register = put('agent/service/register', {
    ID: 'witness',
    Name: 'witness',
    Check: { TTL: '15s' },
  });
  const timer = setInterval(() => void pass(), 250);
  const pass = async () => {
    const from = performance.now();
    beats += 1;
    await register
      .then(() => put('agent/check/pass/service:witness', undefined))
      .catch(() => failed++);
    slowest = Math.max(slowest, performance.now() - from);
  };
  return () => {
    clearInterval(timer);
    return { beats, failed, slowest };
  };
}

const mega = 2 ** 20;
// A gateway watches whatever there is from its start on, so what that costs shows beside one for which there is nothing.
const idle = await startGateway(agent.url);
await pause(5_000);
const { rss: before } = await idle.ask('memory');
await idle.stop();
await fill();
console.log(`${SERVICES} services of ${INSTANCES} instances are registered`);
const witness = beat();
const gateway = await startGateway(agent.url, SERVICES);
const { ms, instances } = await gateway.ask('watch');
console.log(`ready: ${ms.toFixed(0)} ms after its start, ${instances} instances are known`);
await pause(5_000);
const { rss, heapUsed } = await gateway.ask('memory');
console.log(
  `RSS: +${((rss - before) / mega).toFixed(0)} MB (heap ${(heapUsed / mega).toFixed(0)} MB)`,
);
console.log(`idle CPU: ${(await cpuShare(gateway, 20_000)).toFixed(1)} %`);
console.log(`connections to the agent: ${connectionsTo(gateway.pid, agentPort)}`);
await traffic(gateway, 3_000);
const quiet = await traffic(gateway, 10_000);
const stopStorm = storm();
await pause(2_000);
const cpu = cpuShare(gateway, Number(values.storm) * 1_000);
const busy = await traffic(gateway, Number(values.storm) * 1_000);
const changes = stopStorm();
console.log(
  `storm: ${changes} changes; gateway p99 ${quiet.p99.toFixed(1)} ms quiet, ${busy.p99.toFixed(1)} ms stormy (p50 ${quiet.p50.toFixed(1)}, ${busy.p50.toFixed(1)}), ${busy.failures.length} of ${busy.sent} failed, CPU ${(await cpu).toFixed(1)} %`,
);
const others = await Promise.all(
  Array.from({ length: Number(values.processes) - 1 }, () => startGateway(agent.url, SERVICES)),
);
await Promise.all(others.map((each) => each.ask('watch')));
await pause(10_000);
const connections = [gateway, ...others].map(({ pid }) => connectionsTo(pid, agentPort));
const { beats, failed, slowest } = witness();
console.log(
  `${values.processes} processes: ${connections.join(' + ')} connections; heartbeats of another: ${failed} of ${beats} failed, slowest ${slowest.toFixed(0)} ms`,
);
for (const each of [gateway, ...others]) await each.stop();
await agent.stop();
process.exit();
