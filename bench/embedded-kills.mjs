// Twelve processes on the embedded registry; the one that holds the table is killed again and again.
//
//   npm run bench:embedded-kills -- [--kills 20] [--processes 12]
//
// Every process registers, watches, and tells each count that it sees. A new process takes the place of each that was killed.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
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
  const member = { child, last: -1, least: Infinity };
  child.on('message', (count) => {
    member.last = count;
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

async function kill(victim) {
  alive.delete(victim);
  for (const each of alive) each.least = Infinity;
  const from = performance.now();
  victim.child.kill('SIGKILL');
  await everybodySees(COUNT - 1);
  const took = performance.now() - from;
  return { took, least: Math.min(...Array.from(alive, ({ least }) => least)) };
}

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
  const times = list.map(({ took }) => took);
  console.log(
    `${list.length} kills of ${name}: all agree after ${median(times).toFixed(0)} ms (p50), ${Math.max(...times).toFixed(0)} ms (worst); least seen ${Math.min(...list.map(({ least }) => least))} of ${COUNT - 1}`,
  );
}
await Promise.all(
  [...alive].map(({ child }) => {
    child.kill('SIGKILL');
    return once(child, 'exit');
  }),
);
process.exit();
