// How fast each real registry tells of changes, and what its death does to those who use it.
//
//   npm run bench:discovery -- [--only etcd] [--rounds 40]
//
// Twelve applications run in this process and one in a process of its own, all instances of one service, with a time to live of
// 3 s and a heartbeat of 1 s. "Least seen" is the smallest view that any of them had from the server's death on. Times begin
// when the server answers: a Consul agent needs some seconds to elect a leader, and has no answer before.
//
// "Away at start" is an application that starts 10 s before its registry does: it must be up and degraded meanwhile, and the
// time is until it is registered and has found an instance that came with the registry.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SystemClock } from 'nest-rookery/common';
import { DiscoveryClient, DiscoveryModule, Registrar } from 'nest-rookery/discovery';
import { HealthModule } from 'nest-rookery/health';
import { backendOf, instanceOf, registries } from './support/registries.mjs';
import { median } from './support/report.mjs';

const { values } = parseArgs({
  options: { only: { type: 'string' }, rounds: { type: 'string', default: '40' } },
});
const COUNT = 12;
const SERVICE = 'orders';
const heartbeat = { ttl: '3s', interval: '1s' };

async function startApp(name, url) {
  class AppModule {}
  Module({
    imports: [
      DiscoveryModule.forRoot({ name: SERVICE, backend: backendOf(name, url), heartbeat }),
      HealthModule.forRoot(),
    ],
  })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  return { app, client: app.get(DiscoveryClient) };
}

/** Waits until something holds; the ms it took. */
async function until(what, holds, limit = 30_000) {
  const from = performance.now();
  while (!(await holds())) {
    if (performance.now() - from > limit) throw new Error(`not within ${limit} ms: ${what}`);
    await pause(2);
  }
  return performance.now() - from;
}

/** An instance that is registered by hand, seen by an application. */
async function seen(backend, { client }, rounds) {
  const figures = [];
  const signal = AbortSignal.timeout(60_000);
  const view = () => client.instances('probe');
  await client.ready('probe');
  for (let n = 0; n < rounds; n++) {
    const id = `probe-${n}`;
    const instance = instanceOf(id, 'probe');
    const heard = new Promise((resolve) => {
      const stop = client.onChange('probe', ({ instances }) => {
        if (!instances.some((each) => each.id === id)) return;
        stop();
        resolve(performance.now());
      });
    });
    const from = performance.now();
    const lease = await backend.registry.register(instance, signal);
    figures.push((await heard) - from);
    await lease.revoke(signal);
    await until('the probe is gone', () => view().length === 0);
    // A watch answers twice a second when much happens; that limit is not what is measured.
    await pause(600);
  }
  return median(figures);
}

async function freshCount(name, url) {
  const backend = backendOf(name, url)(context());
  const stop = new AbortController();
  try {
    for await (const list of backend.source.instances(SERVICE, stop.signal)) {
      return list.filter(({ status }) => status === 'up').length;
    }
  } catch {
    // It does not answer yet.
  } finally {
    stop.abort();
    await backend.close?.();
  }
  return 0;
}

function context() {
  return {
    clock: new SystemClock(),
    ttl: 3_000,
    heartbeat: 1_000,
    namespace: 'default',
    warn() {},
  };
}

/** Starts an application, then its registry; says what the application was meanwhile. */
async function awayAtStart(name, { url, start }) {
  const { app, client } = await startApp(name, url);
  client.instances('late');
  await pause(10_000);
  const health = await fetch(`http://127.0.0.1:${app.getHttpServer().address().port}/health`);
  const { status } = await health.json();
  const server = await start();
  const from = performance.now();
  const backend = backendOf(name, server.url)(context());
  await backend.registry.register(instanceOf('late-1', 'late'), AbortSignal.timeout(5_000));
  await until('the late one is seen', () => client.instances('late').length === 1);
  await until('it is registered', () => app.get(Registrar).registered !== undefined);
  const ms = performance.now() - from;
  await backend.close?.();
  await app.close();
  await server.stop();
  return { health: `${health.status} ${status}`, ms };
}

async function measure(name, { start }, rounds) {
  let server = await start();
  const apps = await Promise.all(Array.from({ length: COUNT }, () => startApp(name, server.url)));
  const program = fileURLToPath(new URL('discovery-app.mjs', import.meta.url));
  const child = fork(program, [name, server.url, SERVICE]);
  const views = () => apps.map(({ client }) => client.instances(SERVICE).length);
  for (const { client } of apps) await client.ready(SERVICE);
  await once(child, 'message');
  await until('all are seen', () => views().every((count) => count === COUNT + 1));
  const backend = backendOf(name, server.url)(context());
  const p50 = await seen(backend, apps[0], rounds);
  child.kill('SIGKILL');
  const gone = await until('the dead is gone', () => views().every((count) => count === COUNT));

  let least = Infinity;
  for (const { client } of apps) {
    client.onChange(SERVICE, ({ instances }) => (least = Math.min(least, instances.length)));
  }
  await server.kill();
  await until('it is noticed', () => apps.every(({ client }) => client.view(SERVICE).stale));
  await pause(3_000);
  const kept = Math.min(...views());
  server = await start();
  const back = await until(
    'all are back',
    async () => (await freshCount(name, server.url)) === COUNT,
  );
  await until('no view is old', () => apps.every(({ client }) => !client.view(SERVICE).stale));
  await pause(4_000);
  least = Math.min(least, kept, ...views());
  const lowest = least;
  await Promise.all(apps.map(({ app }) => app.close()));
  await backend.close?.();
  await server.stop();
  return { name, p50, gone, kept, back, least: lowest };
}

const all = Object.entries(await registries()).filter(
  ([name]) => values.only === undefined || values.only === name,
);
console.log(
  '| registry | register → seen, p50 ms | kill -9 → gone, ms | server dead: view | back empty: all registered after, ms | least seen | away at start: health | served after, ms |\n|---|--:|--:|--:|--:|--:|---|--:|',
);
for (const [name, registry] of all) {
  const away = await awayAtStart(name, registry);
  const { p50, gone, kept, back, least } = await measure(name, registry, Number(values.rounds));
  console.log(
    `| ${name} | ${p50.toFixed(1)} | ${gone.toFixed(0)} | ${kept} of ${COUNT} | ${back.toFixed(0)} | ${least} | ${away.health} | ${away.ms.toFixed(0)} |`,
  );
}
process.exit();
