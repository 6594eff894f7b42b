// What the alerts say of a running shop: the real shop, each service a process, watched by a real Prometheus with the
// rules and the scrape configuration that monitoring/ ships.
//
//   npm run bench:alerts -- [--hurry 2] [--healthy 60] [--signal SIGKILL]
//
// While all is well under steady load nothing may fire. Then inventory is ended: one alert must fire, and no other. Then
// it is started again: the alert must go, and none may come. Customers order and read orders all the time; nobody asks for
// the stock itself, whose 503 would burn the gateway's budget, rightly. --hurry divides every time in the rules; with
// 1 they are as shipped, and the registry's own 15 s (the TTL) count for less.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Customers } from './alerts/customers.mjs';
import { faultsOf, Prometheus } from './alerts/prometheus.mjs';
import { until } from './faults/stack.mjs';
import { freePorts } from './support/fleet.mjs';

const { values } = parseArgs({
  options: {
    hurry: { type: 'string', default: '2' },
    healthy: { type: 'string', default: '60' },
    signal: { type: 'string', default: 'SIGKILL' },
  },
});
const hurry = Number(values.hurry);
const SERVICES = ['config-server', 'gateway', 'inventory', 'orders', 'orders', 'payments'];
const EXPECTED = 'RookeryNoReadyInstance{service="inventory"}';

const sample = (name) => fileURLToPath(new URL(`../sample/${name}`, import.meta.url));
const { Shop } = await import(sample('dist/shop/demo/shop.js'));
const token = 'a-token-for-the-bench-alone';
process.env.MANAGEMENT_TOKEN = token;

const folder = mkdtempSync(join(tmpdir(), 'rookery-alerts-'));
const [gatewayPort, configPort, port] = await freePorts(3);
const shop = new Shop({
  registry: 'embedded',
  gatewayPort,
  configPort,
  directory: folder,
  config: sample('shop/config'),
  tell: () => {},
});
const prometheus = new Prometheus({ folder, port, hurry });

let customers;
const began = performance.now();
const say = (line) =>
  console.log(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${line}`);

/** Watches the alerts for a while; throws as soon as one fires that may not. */
async function watch(ms, allowed) {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const others = (await prometheus.alerts('firing')).filter((each) => !allowed.includes(each));
    if (others.length > 0) throw new Error(`It fires and should not: ${others.join(', ')}`);
    await pause(500);
  }
}

async function run() {
  await shop.start();
  const targets = `http://127.0.0.1:${gatewayPort}/management/targets`;
  await prometheus.start({ targets, token });
  customers = new Customers(shop.url);
  await until('every service is scraped', async () => {
    const up = (await prometheus.targets()).filter(({ health }) => health === 'up');
    return (
      up
        .map(({ service }) => service)
        .toSorted()
        .join() === SERVICES.join()
    );
  });
  say(`the shop is open, and Prometheus scrapes all ${SERVICES.length} processes of it`);
  for (const { url, service } of await prometheus.targets()) {
    const page = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    const faults = faultsOf(await page.text());
    if (faults !== '') throw new Error(`promtool on the page of ${service}: ${faults}`);
  }
  say('promtool check metrics finds no fault with any page');

  await watch(values.healthy * 1_000, []);
  const pending = await prometheus.alerts('pending');
  if (pending.length > 0) throw new Error(`It is pending and should not: ${pending.join(', ')}`);
  say(`${values.healthy} s of steady load: no alert fires, none is pending`);

  await shop.get('inventory').end(values.signal);
  const ended = performance.now();
  say(`inventory has ended (${values.signal})`);
  await until(
    `${EXPECTED} fires`,
    async () => {
      await watch(500, [EXPECTED]);
      return (await prometheus.alerts('firing')).includes(EXPECTED);
    },
    240_000 / hurry,
  );
  say(`${EXPECTED} fires, ${((performance.now() - ended) / 1_000).toFixed(0)} s later`);
  await watch(60_000 / hurry, [EXPECTED]);
  say(`and no other, ${60 / hurry} s on`);

  shop.get('inventory').start();
  const started = performance.now();
  await until(
    'no alert fires any more',
    async () => (await prometheus.alerts('firing')).length === 0,
    120_000,
  );
  say(
    `inventory is back: it has gone ${((performance.now() - started) / 1_000).toFixed(0)} s later`,
  );
  await watch(300_000 / hurry, []);
  say(`and none has come ${300 / hurry} s on`);
  await customers.leave();
  const ever = await prometheus.query(
    'count by (alertname, service) (max_over_time(ALERTS{alertstate="firing"}[2h]))',
  );
  const names = ever.map(({ metric }) => `${metric.alertname}{service="${metric.service}"}`);
  if (names.join() !== EXPECTED) throw new Error(`Prometheus remembers ${names.join(', ')}`);
  say(
    `Prometheus remembers ${names.join(', ')} alone; ${customers.asked} requests, ${customers.failed} failed`,
  );
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
try {
  await run();
} catch (error) {
  say(`FAILED: ${error.message}`);
  say(`targets ${JSON.stringify(await prometheus.targets().catch(String))}`);
  say(`pending ${await prometheus.alerts('pending').catch(String)}`);
  say(`what was written is in ${folder}`);
  process.exitCode = 1;
} finally {
  await customers?.leave();
  await prometheus.stop();
  await shop.stop();
  if (process.exitCode === undefined) rmSync(folder, { recursive: true, force: true });
}
