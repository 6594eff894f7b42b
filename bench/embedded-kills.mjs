// Twelve processes on the embedded registry; the one that holds the table is killed again and again.
//
//   npm run bench:embedded-kills -- [--kills 20] [--processes 12]
//
// Every process registers, watches, and tells each count that it sees. A new process takes the place of each that was killed.
// "Healed" is when nobody's view is old any more and a newcomer is shown every instance; "least seen" counts what newcomers are
// shown as well.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SystemClock } from 'nest-rookery/common';
import { embedded } from 'nest-rookery/discovery';
import { freePorts } from '../test/support/servers/server.mjs';
import { median } from './support/report.mjs';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    processes: { type: 'string', default: '12' },
  },
});
const COUNT = Number(values.processes);
const PROGRAM = fileURLToPath(new URL('support/embedded-app.mjs', import.meta.url));
const [port] = await freePorts(1);
const alive = new Set();

function start(n) {
  const child = fork(PROGRAM, [String(port), `orders-${n}`]);
  const member = { child, last: -1, stale: true, least: Infinity };
  child.on('message', ([count, stale]) => {
    member.last = count;
    member.stale = stale;
    member.least = Math.min(member.least, count);
  });
  alive.add(member);
}

async function everybodySees(count, limit = 30_000) {
  const from = performance.now();
  while ([...alive].some(({ last }) => last !== count)) {
    if (performance.now() - from > limit) {
      throw new Error(`after ${limit} ms: ${[...alive].map(({ last }) => last).join(' ')}`);
    }
    await pause(1);
  }
}

/** Which process listens on the port. */
function holder() {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((each) => each.trim().split(/\s+/))
    .find((fields) => fields[1] === `0100007F:${hex}` && fields[3] === '0A');
  return [...alive].find(({ child }) =>
    readdirSync(`/proc/${child.pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${child.pid}/fd/${fd}`) === `socket:[${line?.[9]}]`;
      } catch {
        return false;
      }
    }),
  );
}

/** What somebody is shown who has never been here; undefined while nobody shows anything. */
async function shownToNewcomer() {
  const backend = embedded({ url: `tcp://127.0.0.1:${port}` })({
    clock: new SystemClock(),
    ttl: 15_000,
    heartbeat: 5_000,
    namespace: 'default',
    warn() {},
  });
  const stop = new AbortController();
  try {
    for await (const list of backend.source.instances('orders', stop.signal)) return list.length;
    return undefined;
  } catch {
    // The new holder is not there yet.
    return undefined;
  } finally {
    stop.abort();
    await backend.close();
  }
}

async function newcomersSee(count, limit = 30_000) {
  let least = Infinity;
  for (const from = performance.now(); ; await pause(5)) {
    const shown = await shownToNewcomer();
    least = Math.min(least, shown ?? Infinity);
    if (shown === count) return least;
    if (performance.now() - from > limit) throw new Error(`a newcomer is shown ${shown}`);
  }
}

async function kill(victim) {
  alive.delete(victim);
  for (const each of alive) each.least = Infinity;
  const from = performance.now();
  victim.child.kill('SIGKILL');
  await everybodySees(COUNT - 1);
  const took = performance.now() - from;
  const least = await newcomersSee(COUNT - 1);
  while ([...alive].some(({ stale }) => stale)) await pause(1);
  const healed = performance.now() - from;
  return { took, healed, least: Math.min(least, ...Array.from(alive, (each) => each.least)) };
}

const figures = (times) =>
  `${median(times).toFixed(0)} ms (p50), ${Math.max(...times).toFixed(0)} ms (worst)`;

for (let n = 0; n < COUNT; n++) start(n);
await everybodySees(COUNT);
const holders = [];
const others = [];
for (let n = 0; n < Number(values.kills); n++) {
  for (const [list, choose] of [
    [holders, () => holder()],
    [others, () => [...alive].find((each) => each !== holder())],
  ]) {
    list.push(await kill(choose()));
    start(`${COUNT + n}-${list === holders ? 'a' : 'b'}`);
    await everybodySees(COUNT);
    await pause(300);
  }
}
for (const [name, list] of Object.entries({ 'the holder': holders, another: others })) {
  const [took, healed] = [list.map((each) => each.took), list.map((each) => each.healed)];
  console.log(
    `${list.length} kills of ${name}: gone from every view after ${figures(took)}; healed after ${figures(healed)}; least seen ${Math.min(...list.map(({ least }) => least))} of ${COUNT - 1}`,
  );
}
await Promise.all(
  [...alive].map(({ child }) => {
    child.kill('SIGKILL');
    return once(child, 'exit');
  }),
);
process.exit();
