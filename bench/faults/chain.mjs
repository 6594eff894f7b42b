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

const sum = async (apps, name) =>
  (await Promise.all(Object.values(apps).map((app) => app.ask({ report: true }))))
    .filter(({ role }) => role === name)
    .reduce((total, { calls }) => total + calls, 0);

const become = (apps, role, mode) =>
  Promise.all(
    Object.entries(apps)
      .filter(([name]) => name.startsWith(role))
      .map(([, app]) => app.ask({ become: mode })),
  );

/** A front that waits for 1 s, and a back that would work for 3 s. */
export async function chain({ stack }) {
  const apps = await startChain(stack);
  await become(apps, 'back', { kind: 'slow', ms: 3_000 });
  const load = new Load({
    port: apps.front.port,
    rate: 20,
    make: () => ({ path: '/work', headers: { 'x-rookery-deadline': '1000' } }),
  }).start();
  await pause(3_000);
  await load.stop();
  await pause(4_000);
  const reports = await Promise.all(Object.values(apps).map((app) => app.ask({ report: true })));
  const late = Math.max(...reports.map(({ latest }) => latest));
  const p99 = percentile(load.results, 0.99);
  const refused = await fetch(`http://127.0.0.1:${apps.front.port}/work`, {
    headers: { 'x-rookery-deadline': '0' },
  });
  return [
    {
      promise: 'nothing runs after a deadline of 1 s (150 ms allowed)',
      figure: `the last step came ${late.toFixed(0)} ms after it began; answers ${tally(load.results)}, p99 ${p99.toFixed(0)} ms`,
      kept: late < 1_150 && p99 < 1_300,
    },
    {
      promise: 'what is late already is refused with 504',
      figure: String(refused.status),
      kept: refused.status === 504,
    },
  ];
}

/** A back that answers nothing but 503. */
export async function chainRetries({ stack, rate }) {
  const apps = await startChain(stack);
  await become(apps, 'back', { kind: 'failing', status: 503 });
  const before = { middle: await sum(apps, 'middle'), back: await sum(apps, 'back') };
  const load = new Load({ port: apps.front.port, rate, make: () => ({ path: '/work' }) }).start();
  await pause(5_000);
  await load.stop();
  const offered = load.results.length;
  const middle = (await sum(apps, 'middle')) - before.middle;
  const back = (await sum(apps, 'back')) - before.back;
  const times = (calls) => (calls / offered).toFixed(2);
  return [
    {
      promise: 'retries of two hops do not multiply beyond 1.2 each (1.44)',
      figure: `front ${offered}, middle ${middle} (${times(middle)}), back ${back} (${times(back)}); ${tally(load.results)}`,
      kept: middle / offered <= 1.3 && back / offered <= 1.44,
    },
  ];
}
