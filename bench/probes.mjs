// What probes cost a service, and what they say while something that it depends on is killed, frozen and started again.
//
//   npm run bench:probes -- [--rounds 7]
//
// First a thousand probes a second, beside Node's own server that answers the same; then the same probes while the other
// process dies, comes back, freezes and thaws. The service may ask it once in its cache of 2 s, however often it is probed.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { until } from './faults/stack.mjs';
import { Prober } from './probes/prober.mjs';
import { freePorts } from './support/fleet.mjs';
import { cpuTime } from './support/process-figures.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' } } });
const rounds = Number(values.rounds);
const CACHE = 2;

const children = new Set();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

function start(file, env) {
  const child = fork(fileURLToPath(new URL(`probes/${file}.mjs`, import.meta.url)), {
    env: { ...process.env, NODE_ENV: 'production', ...env },
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

const [port] = await freePorts(1);
let asked = 0;

async function startDependency() {
  const child = start('dependency', { PORT: String(port) });
  child.on('message', (message) => {
    if (message === 'asked') asked++;
  });
  await once(child, 'message');
  return child;
}

async function startService(server) {
  const env = { SERVER: server, DEPENDENCY: `http://127.0.0.1:${port}/`, CACHE: `${CACHE}s` };
  const child = start('app', env);
  const [message] = await once(child, 'message');
  return { child, port: message.port };
}

/** The share of a core that a process uses, in per cent. */
async function shareOf({ pid }, task) {
  const before = cpuTime(pid);
  const began = performance.now();
  await task();
  return ((cpuTime(pid) - before) / 1e6 / (performance.now() - began)) * 100;
}

/** One turn of a service: what it uses while it is left alone, and while it is probed. */
async function turn({ child, port: at }) {
  const idle = await shareOf(child, () => pause(1_000));
  const prober = new Prober(at);
  await pause(300);
  const [before, calls] = [prober.asked, asked];
  const busy = await shareOf(child, () => pause(2_000));
  const probes = (prober.asked - before) / 2;
  prober.stop();
  return { idle, busy, probes, calls: (asked - calls) / 2, micros: ((busy - idle) / probes) * 1e4 };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/** All of them take turns, so that what others do on the machine hits all alike. */
async function costs(servers) {
  const services = await Promise.all(servers.map(startService));
  const turns = servers.map(() => []);
  for (let round = -2; round < rounds; round++) {
    for (const [at, service] of services.entries()) {
      const figures = await turn(service);
      // The first rounds compile.
      if (round >= 0) turns[at].push(figures);
    }
  }
  for (const { child } of services) child.kill();
  return servers.map((server, at) => {
    const of = (name) => median(turns[at].map((each) => each[name]));
    const calls = Math.max(...turns[at].map((each) => each.calls));
    return {
      server,
      idle: of('idle'),
      busy: of('busy'),
      micros: of('micros'),
      probes: of('probes'),
      calls,
    };
  });
}

async function faults(server) {
  let dependency = await startDependency();
  const service = await startService(server);
  const prober = new Prober(service.port);
  const ready = (status) => () => prober.seen['/health/ready'].at(-1) === status;
  const say = (what) =>
    console.log(
      `${server}: ${what.padEnd(52)} live ${prober.seen['/health/live'].join(' → ')}, ready ${prober.seen['/health/ready'].join(' → ')}`,
    );
  const settle = async (what, status, flips) => {
    await until(`readiness answers ${status} after it was ${what}`, async () => ready(status)());
    // Long enough for whatever would flap.
    await pause(CACHE * 3_000);
    say(`the dependency was ${what}`);
    const [live, found] = [prober.flips('/health/live'), prober.flips('/health/ready')];
    if (live !== 0 || found !== flips)
      throw new Error(
        `liveness flipped ${live} times, readiness ${found} times instead of ${flips}`,
      );
  };
  await pause(2_000);
  dependency.kill('SIGKILL');
  await settle('killed', 503, 1);
  dependency = await startDependency();
  await settle('started again', 200, 2);
  dependency.kill('SIGSTOP');
  await settle('frozen', 503, 3);
  dependency.kill('SIGCONT');
  await settle('thawed', 200, 4);
  prober.stop();
  service.child.kill();
  dependency.kill();
  if (prober.failed > 0) throw new Error(`${prober.failed} probes were not answered`);
  console.log(`${server}: ${prober.asked} probes, none without an answer`);
}

const dependency = await startDependency();
console.log(
  '| server | idle, % of a core | probed, % | µs a probe | probes/s | calls/s of the dependency |\n|---|---|---|---|---|---|',
);
let most = 0;
for (const { server, idle, busy, micros, probes, calls } of await costs([
  'bare',
  'express',
  'fastify',
])) {
  console.log(
    `| ${server} | ${idle.toFixed(2)} | ${busy.toFixed(2)} | ${micros.toFixed(1)} | ${probes.toFixed(0)} | ${calls.toFixed(1)} |`,
  );
  if (server !== 'bare') most = Math.max(most, calls);
}
dependency.kill();
// Two services, and a turn of two seconds may see the beginning and the end of their caches.
if (most > 4 / CACHE)
  throw new Error(`the dependency was asked ${most} times a second, and its cache is ${CACHE} s`);
console.log('');
for (const server of ['express', 'fastify']) await faults(server);
process.exit();
