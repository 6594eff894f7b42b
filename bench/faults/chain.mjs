// Three services in a row, each of which calls the next: who works for nobody, and how far retries multiply.
import { setTimeout as pause } from 'node:timers/promises';
import { until } from './stack.mjs';
import { Load, percentile, tally } from './load.mjs';

const NAMES = ['front', 'middle', 'back'];

async function startChain(stack) {
  await stack.startConsul();
  const apps = {};
  for (const [at, name] of [...NAMES.entries()].toReversed()) {
    apps[name] = await stack.app('chain', name, { ROLE: name, NEXT: NAMES[at + 1] ?? '' });
    // A second instance, without which nothing could be tried anywhere else.
    if (name !== 'front')
      apps[`${name}-2`] = await stack.app('chain', `${name}-2`, {
        ROLE: name,
        NEXT: NAMES[at + 1] ?? '',
      });
  }
  await until(
    'the chain answers',
    async () => (await fetch(`http://127.0.0.1:${apps.front.port}/work`)).ok,
  );
  return apps;
}

const tell = (apps, role, message) =>
  Promise.all(
    Object.entries(apps)
      .filter(([name]) => name.startsWith(role))
      .map(([, app]) => app.ask(message)),
  );

const become = (apps, role, mode) => tell(apps, role, { become: mode });

const sum = async (apps, role) =>
  (await tell(apps, role, { report: true })).reduce((total, { calls }) => total + calls, 0);

const DEADLINE = 1_000;

/** A front that waits for 1 s, and a back that would work for 3 s. */
export async function chain({ stack }) {
  const apps = await startChain(stack);
  await become(apps, 'back', { kind: 'slow', ms: 3_000 });
  const load = new Load({
    port: apps.front.port,
    rate: 20,
    make: () => ({ path: '/work', headers: { 'x-rookery-deadline': String(DEADLINE) } }),
  }).start();
  await pause(3_000);
  await load.stop();
  await pause(4_000);
  const latest = {};
  for (const role of NAMES) {
    const reports = await tell(apps, role, { report: true });
    const most = (what) => Math.max(...reports.map((report) => report.latest[what]));
    latest[role] = { work: most('work'), end: most('end') };
  }
  const last = Math.max(...NAMES.map((role) => Math.max(latest[role].work, latest[role].end)));
  const each = NAMES.map(
    (role) => `${role} ${latest[role].work.toFixed(0)}/${latest[role].end.toFixed(0)}`,
  ).join(', ');
  const p99 = percentile(load.results, 0.99);
  const refused = await fetch(`http://127.0.0.1:${apps.front.port}/work`, {
    headers: { 'x-rookery-deadline': '0' },
  });
  return [
    {
      promise: "nothing runs after a deadline of 1 s, by the front's clock",
      figure: `last of all ${last.toFixed(0)} ms; last work/end in ms: ${each}; ${load.results.length} requests, ${tally(load.results)}, p99 ${p99.toFixed(0)} ms`,
      kept: last <= DEADLINE && p99 < DEADLINE + 50,
    },
    {
      promise: 'what is late already is refused with 504',
      figure: String(refused.status),
      kept: refused.status === 504,
    },
  ];
}

/** What is saved up for retries before any share of calls was, by each of those who call. */
const RESERVE = 30;
const SHARE = 0.2;

/**
 * A back that answers 503, more and more often, with circuits that break and without; each hop by itself may try all
 * of its calls twice, which would be four times at the end.
 */
export async function chainRetries({ stack, rate }) {
  const apps = await startChain(stack);
  const findings = [];
  for (const { share, circuits } of [
    { share: 0.1, circuits: 'closed' },
    { share: 0.3, circuits: 'closed' },
    { share: 0.5, circuits: 'disabled' },
    { share: 1, circuits: 'disabled' },
    { share: 1, circuits: 'closed' },
  ]) {
    await Promise.all(NAMES.map((role) => tell(apps, role, { circuits })));
    await become(apps, 'back', { kind: 'failing', rate: share, status: 503 });
    const before = { middle: await sum(apps, 'middle'), back: await sum(apps, 'back') };
    const load = new Load({ port: apps.front.port, rate, make: () => ({ path: '/work' }) }).start();
    await pause(5_000);
    await load.stop();
    const front = load.results.length;
    const middle = (await sum(apps, 'middle')) - before.middle;
    const back = (await sum(apps, 'back')) - before.back;
    const most = {
      middle: front * (1 + SHARE) + RESERVE,
      back: middle * (1 + SHARE) + 2 * RESERVE,
    };
    const times = (calls) => (calls / front).toFixed(2);
    findings.push({
      promise: `${share * 100} % of 503, circuits ${circuits === 'closed' ? 'on' : 'off'}: each hop tries at most 1.2 times, and ${RESERVE} that were saved up`,
      figure: `front ${front}, middle ${middle} (${times(middle)}, at most ${most.middle.toFixed(0)}), back ${back} (${times(back)}, at most ${most.back.toFixed(0)}; unbounded ${4 * front}); ${tally(load.results)}`,
      kept: middle <= most.middle && back <= most.back && (circuits === 'closed' || back > front),
    });
  }
  return findings;
}
