// What a change of many routes in discovery costs the gateway: a service that publishes 1,000 routes is replaced by another
// build of it, all of whose paths are others, again and again; first at rest, to see the CPU, then under steady requests, none of
// which may be lost. The gateway, the registry with the service, and the load are processes of their own, so that what is
// measured is the gateway. Ends with 1 when a change takes more CPU than it may, or a request is lost.
//
//   npm run bench:routes -- [--routes 1000] [--changes 20]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { steadyLoad } from './support/load.mjs';
import { instanceWith } from './support/published-routes.mjs';

const { values } = parseArgs({
  options: {
    routes: { type: 'string', default: '1000' },
    changes: { type: 'string', default: '20' },
  },
});
/** What one change may cost, in ms of CPU. */
const MOST = 50;
const count = Number(values.routes);
const changes = Number(values.changes);
const program = (name) => fileURLToPath(new URL(name, import.meta.url));

const upstream = fork(program('support/ok-upstream.mjs'));
const [{ port }] = await once(upstream, 'message');
// Made beforehand: that is the work of the services.
const prepare = (name, number) =>
  Array.from({ length: number }, (_, at) => {
    const build = `${name}${at}`;
    return { build, instances: [instanceWith({ service: 'items', port, build, count })] };
  });
const [first] = prepare('first', 1);
const atRest = prepare('rest', changes);
const underLoad = prepare('load', 50);

const gateway = fork(program('support/routes-gateway.mjs'));
const [started] = await once(gateway, 'message');
let number = 0;
await change(first);

const costs = [];
let live = 0;
for (const each of atRest) {
  const told = await change(each);
  costs.push(told.cost);
  live = told.live;
}

const load = steadyLoad({ core: '0,1', port: started.port, path: '/api/x', seconds: 5, rate: 500 });
let under = 0;
for (const end = performance.now() + 5_000; performance.now() < end; under++) {
  await change(underLoad[under % underLoad.length]);
  await pause(100);
}
const { requests, p50, p99, errors } = await load;
gateway.disconnect();
upstream.disconnect();

// The first changes also compile our own code.
const sorted = costs.slice(2).toSorted((a, b) => a - b);
const [median, worst] = [sorted[sorted.length >> 1], sorted.at(-1)];
console.log(
  `${live} routes live; a change of ${count} of them costs ${median.toFixed(1)} ms of CPU (median of ${sorted.length}, at most ${worst.toFixed(1)} ms; the very first ${costs[0].toFixed(1)} ms; bound: ${MOST})`,
);
console.log(
  `${under} changes within 5 s at 500 requests/s: ${requests} right, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${errors || 'none lost'}`,
);
process.exit(median < MOST && errors === '' ? 0 : 1);

/** Tells the gateway of another build; resolves when its routes are served. */
async function change(told) {
  number++;
  gateway.send({ number, ...told });
  for (;;) {
    const [answer] = await once(gateway, 'message');
    if (answer.number === number) return answer;
  }
}
