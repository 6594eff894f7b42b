// What probes cost a service, and what they say while something that it depends on is killed, frozen and started again.
//
//   npm run bench:probes -- [--seconds 8]
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

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '8' } } });
const seconds = Number(values.seconds);
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

async function cost(server) {
  const service = await startService(server);
  // What is run often is compiled first.
  const warm = new Prober(service.port);
  await pause(4_000);
  warm.stop();
  await pause(1_000);
  const idle = await shareOf(service.child, () => pause(seconds * 500));
  const prober = new Prober(service.port);
  await pause(500);
  const before = prober.asked;
  const calls = asked;
  const busy = await shareOf(service.child, () => pause(seconds * 1_000));
  const probes = prober.asked - before;
  prober.stop();
  service.child.kill();
  return { server, idle, busy, probes: probes / seconds, calls: (asked - calls) / seconds };
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
for (const server of ['bare', 'express', 'fastify']) {
  const { idle, busy, probes, calls } = await cost(server);
  console.log(
    `| ${server} | ${idle.toFixed(2)} | ${busy.toFixed(2)} | ${(((busy - idle) / probes) * 1e4).toFixed(1)} | ${probes.toFixed(0)} | ${calls.toFixed(2)} |`,
  );
  most = Math.max(most, calls);
}
dependency.kill();
if (most > 1.2 / CACHE)
  throw new Error(`the dependency was asked ${most} times a second, and its cache is ${CACHE} s`);
console.log('');
for (const server of ['express', 'fastify']) await faults(server);
process.exit();
