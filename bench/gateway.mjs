// The gateway beside its peers: what a request costs in CPU time, how many go through one core, and how long they take.
//
//   npm run bench:gateway -- [--quick] [--json FILE] [--node PATH] [--only a,b] [--scenarios small,big] [--rounds 5] [--seconds 3]
//
// Each contender has core 0 to itself, the load and the one upstream (nginx) share core 1, all on loopback. All contenders
// stay up, and the rounds go around among them, so that what others do on the machine hits all alike. Of the rounds only
// the half counts during which others used core 0 least. Trust ratios within one table, never figures of two runs.
//
// `--json` writes { node, scenarios: { small: { contenders: { rookery: { cpuMicros, rps, p50, p99, rss } } } } }, with
// times in ms and memory in MB.
import { writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CONTENDERS, startContender, untilRight, writeConfig } from './support/contenders.mjs';
import { Fleet, freePorts } from './support/fleet.mjs';
import { fullLoad, steadyLoad } from './support/load.mjs';
import { installPeers } from './support/peers.mjs';
import { busyTime, cpuTime, memory } from './support/process-figures.mjs';
import { summary, table } from './support/report.mjs';
import { tool } from './support/tools.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    only: { type: 'string' },
    scenarios: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
  },
});
if (process.platform !== 'linux' || availableParallelism() < 2)
  throw new Error('This needs Linux and two cores: it pins programs and reads /proc.');

const SMALL = JSON.stringify({
  id: 1,
  name: 'abcdefghijklmnopqrstuvwxyz',
  note: 'one hundred bytes to answer.....',
});
const POSTED = '{"ok":true}';
const BIG = 'x'.repeat(16_384);
const CONTENDER_CORE = 0;
const LOAD_CORE = 1;
/** How many addresses the upstream has; ours takes them for instances of one service. */
const INSTANCES = 4;
const RATE = 2_000;

const SCENARIOS = {
  small: { title: 'GET, 100 bytes', path: '/api/small', body: SMALL, method: 'GET' },
  big: { title: 'GET, 16 KiB', path: '/api/big', body: BIG, method: 'GET' },
  post: { title: 'POST, 10 KiB', path: '/api/post', body: POSTED, method: 'POST' },
  steady: {
    title: `GET, 100 bytes, ${RATE} requests a second`,
    path: '/api/small',
    body: SMALL,
    rate: RATE,
  },
};

const rounds = Number(values.rounds ?? (values.quick ? 4 : 6));
const seconds = Number(values.seconds ?? (values.quick ? 2 : 3));
const scenarios =
  values.scenarios?.split(',') ?? (values.quick ? ['small'] : Object.keys(SCENARIOS));
const names =
  values.only?.split(/[;,](?! )/) ??
  // The secured ones need a token, which `bench:security` brings.
  Object.keys(CONTENDERS).filter(
    (name) => !CONTENDERS[name].secured && !(values.quick && name === 'rookery on Fastify'),
  );

installPeers();
const fleet = new Fleet();
const [upstreamPorts, contenderPorts] = await freePorts(INSTANCES + names.length).then((ports) => [
  ports.slice(0, INSTANCES),
  ports.slice(INSTANCES),
]);
await startUpstream();
const contenders = [];
for (const [at, name] of names.entries()) contenders.push(await enter(name, contenderPorts[at]));

const results = {};
/** What went wrong with contenders in this scenario. */
const struggles = new Map();
for (const scenario of scenarios) {
  struggles.clear();
  results[scenario] = await measure(SCENARIOS[scenario]);
  const notes = Object.fromEntries(
    names.map((name) => [name, struggles.get(name) ?? CONTENDERS[name].note]),
  );
  console.log(`\n### ${SCENARIOS[scenario].title}\n\n${table(results[scenario], notes)}`);
}
const node = execFileSync(values.node, ['-p', 'process.versions.node'], {
  encoding: 'utf8',
}).trim();
console.log(
  `\nNode ${node}; medians of the quieter half of ${rounds} rounds of ${seconds} s. Metrics are a listener that counts each request into a histogram.`,
);
if (values.json) {
  const shaped = Object.entries(results).map(([name, contenders]) => [name, { contenders }]);
  writeFileSync(
    values.json,
    JSON.stringify({ node, scenarios: Object.fromEntries(shaped) }, null, 2),
  );
}
process.exit();

async function startUpstream() {
  writeFileSync(join(fleet.folder, 'big.json'), BIG);
  const listen = upstreamPorts.map((port) => `listen 127.0.0.1:${port} backlog=4096;`).join(' ');
  const config = writeConfig(fleet, '../support/upstream.conf', {
    listen,
    small: SMALL,
    posted: POSTED,
  });
  fleet.start('upstream', LOAD_CORE, [tool('nginx'), '-p', fleet.folder, '-c', config]);
  for (const port of upstreamPorts)
    await untilRight(port, '/api/small', ({ body }) => body === SMALL);
}

/** Starts a contender, and refuses one that does not answer as the upstream does. */
async function enter(name, port) {
  const origins = upstreamPorts.map((each) => `http://127.0.0.1:${each}`);
  const { pid, log } = startContender(fleet, name, {
    core: CONTENDER_CORE,
    port,
    origins,
    node: values.node,
  });
  for (const { path, body } of Object.values(SCENARIOS)) {
    await untilRight(port, path, (answer) => answer.status === 200 && answer.body === body).catch(
      ({ message }) => {
        throw new Error(`${name} does not proxy ${path}: ${message}; ${log} may say why`);
      },
    );
  }
  return { name, port, pid };
}

async function measure(scenario) {
  const figures = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const contender of contenders) {
      const figure = await once(contender, scenario);
      // The first round warms up.
      if (round > 0) figures[contender.name].push(figure);
      fleet.cutLogs();
    }
  }
  return Object.fromEntries(Object.entries(figures).map(([name, all]) => [name, summary(all)]));
}

async function once({ name, port, pid }, { path, method, rate }) {
  const load = { core: LOAD_CORE, port, path, method, seconds, rate };
  const [cpu, busy, began] = [cpuTime(pid), busyTime(CONTENDER_CORE), performance.now()];
  const { requests, rps, p50, p99, errors } = await (rate ? steadyLoad(load) : fullLoad(load));
  const used = cpuTime(pid) - cpu;
  const foreign = (busyTime(CONTENDER_CORE) - busy - used) / (performance.now() - began);
  // A peer that cannot keep up is told of in its row; of ours it ends the measurement.
  if (!(requests > 0) || (errors && name.startsWith('rookery')))
    throw new Error(`${name} failed under load on ${path}: ${errors || 'no answers'}`);
  if (errors) struggles.set(name, `failed requests: ${errors}`);
  return { cpuMicros: used / requests / 1_000, rps, p50, p99, rss: memory(pid), foreign };
}
