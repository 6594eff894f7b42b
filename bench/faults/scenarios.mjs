// Each scenario breaks one thing under load, and says what was promised, what came out, and whether that is kept.
import { setTimeout as pause } from 'node:timers/promises';
import { chain, chainRetries } from './chain.mjs';
import { failed, Load, percentile, tally } from './load.mjs';

/** How long all is well first, in ms. */
const CALM = 3_000;
/** From when on after the fault latency is looked at. */
const SETTLED = 5_000;

/** What failed, and what the gateway says of it. */
async function explained(stack, bad, all) {
  const count = `${bad.length} of ${all.length}`;
  if (bad.length === 0) return count;
  return `${count} (${tally(bad)}; ${JSON.stringify(await stack.gateway.ask({}))})`;
}

const ms = (value) => `${value.toFixed(0)} ms`;

/** Reads under a fault: none may fail, and soon all are fast again. */
function reads({ behind = false, fault, lasts, p99 = 250 }) {
  return async ({ stack, rate }) => {
    await stack.start(3, { behind });
    const load = new Load({ port: stack.gateway.port, rate }).start();
    await pause(CALM);
    const struck = load.now;
    await fault(stack, load);
    await pause(Math.max(0, struck + lasts - load.now));
    await load.stop();
    const bad = failed(load.results);
    const settled = percentile(load.between(struck + SETTLED), 0.99);
    return [
      {
        promise: '0 failed reads',
        figure: await explained(stack, bad, load.results),
        kept: bad.length === 0,
      },
      {
        promise: `p99 < ${p99} ms from 5 s on`,
        figure: `${ms(settled)}, before ${ms(percentile(load.between(500, struck), 0.99))}, worst ${ms(percentile(load.results, 1))}`,
        kept: settled < p99,
      },
    ];
  };
}

const order = (number) => ({
  method: 'POST',
  path: '/shop/orders',
  headers: { 'x-order': `order-${number}`, 'content-type': 'application/json' },
  body: '{"sku":"7"}',
});

function duplicates(stack) {
  const ids = stack.ledgers();
  return ids.length - new Set(ids).size;
}

async function killUnderPosts({ stack, rate }) {
  await stack.start();
  const load = new Load({ port: stack.gateway.port, rate, make: order }).start();
  await pause(CALM);
  stack.shops[0].child.kill('SIGKILL');
  await pause(7_000);
  await load.stop();
  const bad = failed(load.results);
  const twice = duplicates(stack);
  return [
    {
      promise: '0 POSTs carried out twice',
      figure: `${twice} of ${load.results.length}`,
      kept: twice === 0,
    },
    {
      promise: 'at most 5 failed POSTs',
      figure: `${bad.length} (${tally(bad)})`,
      kept: bad.length <= 5,
    },
  ];
}

const mixed = (number) => (number % 2 === 0 ? { path: '/shop/item' } : order(number));

async function rollingRestart({ stack, rate }) {
  await stack.start();
  const load = new Load({ port: stack.gateway.port, rate, make: mixed }).start();
  await pause(CALM);
  for (const [at, shop] of stack.shops.entries()) {
    stack.shops[at] = await stack.restart(shop);
    await pause(1_000);
  }
  await load.stop();
  const bad = failed(load.results);
  const twice = duplicates(stack);
  return [
    {
      promise: '0 failed reads and POSTs',
      figure: await explained(stack, bad, load.results),
      kept: bad.length === 0,
    },
    { promise: '0 POSTs carried out twice', figure: String(twice), kept: twice === 0 },
  ];
}

async function erring({ stack, rate }) {
  await stack.start();
  const load = new Load({ port: stack.gateway.port, rate }).start();
  await pause(CALM);
  const struck = load.now;
  await stack.shops[0].ask({ become: { kind: 'failing', rate: 0.5, status: 500 } });
  await pause(25_000);
  await load.stop();
  const settled = load.between(struck + SETTLED);
  const share = (failed(settled).length / settled.length) * 100;
  const early = failed(load.between(struck, struck + SETTLED)).length;
  return [
    {
      promise: 'errors < 1 % from 5 s on, over 20 s',
      figure: `${share.toFixed(2)} %, ${early} before`,
      kept: share < 1,
    },
  ];
}

async function allFail({ stack, rate }) {
  await stack.start();
  const load = new Load({ port: stack.gateway.port, rate }).start();
  await pause(CALM);
  const served = async () =>
    (await Promise.all(stack.shops.map((shop) => shop.ask({ report: true })))).reduce(
      (a, b) => a + b,
    );
  const become = (mode) => Promise.all(stack.shops.map((shop) => shop.ask({ become: mode })));
  await become({ kind: 'failing', rate: 1, status: 503 });
  const [from, before] = [load.now, await served()];
  await pause(4_000);
  await become({ kind: 'well' });
  const [to, after] = [load.now, await served()];
  await pause(4_000);
  await load.stop();
  const offered = load.between(from, to).length;
  const amplification = (after - before) / offered;
  const late = failed(load.between(to));
  const healed = late.length === 0 ? 0 : Math.max(...late.map(({ due }) => due)) - to;
  return [
    {
      promise: 'amplification <= 1.3',
      figure: `${amplification.toFixed(2)} (${after - before} calls for ${offered} requests)`,
      kept: amplification <= 1.3,
    },
    { promise: 'healed < 1 s', figure: ms(healed), kept: healed < 1_000 },
  ];
}

async function overload({ stack }) {
  await stack.start();
  // One request at a time and 15 ms each: about 60 a second each, 180 in all.
  const become = (mode) => Promise.all(stack.shops.map((shop) => shop.ask({ become: mode })));
  await become({ kind: 'narrow', ms: 15 });
  const calm = new Load({ port: stack.gateway.port, rate: 60 }).start();
  await pause(CALM);
  await calm.stop();
  const load = new Load({ port: stack.gateway.port, rate: 370 }).start();
  await pause(8_000);
  await load.stop();
  const after = new Load({ port: stack.gateway.port, rate: 100 }).start();
  await pause(4_000);
  await after.stop();
  const all = load.results;
  const accepted = all.filter(({ status }) => status === 200);
  const refused = all.filter(({ status }) => status === 503);
  const others = all.length - accepted.length - refused.length;
  const p99 = percentile(accepted, 0.99);
  const early = accepted.filter(({ due }) => due < 2_000);
  const settled = accepted.filter(({ due }) => due >= 2_000);
  const slow = failed(after.results);
  const recovery = slow.length === 0 ? 0 : Math.max(...slow.map(({ due }) => due));
  return [
    {
      promise: 'accepted requests: p99 < 500 ms from the first moment on',
      figure: `${ms(p99)} of ${(accepted.length / 8).toFixed(0)}/s; first 2 s ${ms(percentile(early, 0.99))} of ${early.length}, then ${ms(percentile(settled, 0.99))}, worst ${ms(percentile(accepted, 1))}`,
      kept: p99 < 500 && percentile(early, 0.99) < 500 && accepted.length > 0,
    },
    {
      promise: 'the rest gets 503 at once (p99 < 100 ms)',
      figure: `${ms(percentile(refused, 0.99))} of ${refused.length}, ${others} others`,
      kept: refused.length > 0 && others === 0 && percentile(refused, 0.99) < 100,
    },
    { promise: 'recovery < 2 s', figure: ms(recovery), kept: recovery < 2_000 },
  ];
}

export const SCENARIOS = {
  crash: reads({ lasts: 10_000, fault: (stack) => stack.shops[0].child.kill('SIGKILL') }),
  freeze: reads({
    lasts: 15_000,
    fault: async (stack) => {
      stack.shops[0].child.kill('SIGSTOP');
      await pause(12_000);
      stack.shops[0].child.kill('SIGCONT');
    },
  }),
  blackhole: reads({
    behind: true,
    lasts: 12_000,
    fault: async (stack) => {
      await stack.shops[0].proxy.become('blackhole');
      await pause(9_000);
      await stack.shops[0].proxy.become('pass');
    },
  }),
  reset: reads({
    behind: true,
    lasts: 12_000,
    fault: async (stack) => {
      await stack.shops[0].proxy.become('reset');
      await pause(9_000);
      await stack.shops[0].proxy.become('pass');
    },
  }),
  flapping: reads({
    behind: true,
    lasts: 14_000,
    fault: async (stack) => {
      for (let times = 0; times < 3; times++) {
        await stack.shops[0].proxy.become('refuse');
        await pause(2_000);
        await stack.shops[0].proxy.become('pass');
        await pause(2_000);
      }
    },
  }),
  'kill-posts': killUnderPosts,
  'rolling-restart': rollingRestart,
  slow: reads({
    lasts: 20_000,
    p99: 400,
    fault: (stack) => stack.shops[0].ask({ become: { kind: 'slow', ms: 2_000 } }),
  }),
  erring,
  'all-fail': allFail,
  overload,
  chain,
  'chain-retries': chainRetries,
};
