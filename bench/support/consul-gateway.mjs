// A gateway for the measurements of Consul, in a process of its own. argv: the agent's address, how many services it watches.
import 'reflect-metadata';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { consul, DiscoveryClient, DiscoveryModule } from 'nest-rookery/discovery';
import { GatewayModule } from 'nest-rookery/gateway';
import { UpstreamModule } from 'nest-rookery/upstream';

const [url, count = '0', token] = process.argv.slice(2);
const started = performance.now();
const said = [];
const note = (message) => said.push({ at: performance.now() - started, message: String(message) });
const silent = () => {};
Logger.overrideLogger({ log: silent, error: note, warn: note, debug: silent, verbose: silent });

class AppModule {}
Module({
  imports: [
    DiscoveryModule.forRoot({
      name: 'gateway',
      backend: consul({ url, wait: '30s', ...(token && { token }) }),
      register: token !== undefined,
    }),
    UpstreamModule.forRoot(),
    GatewayModule.forRoot({ routes: [{ path: '/{*rest}', to: 'svc-0' }] }),
  ],
})(AppModule);

const app = await NestFactory.create(AppModule);
await app.listen(0, '127.0.0.1');
const client = app.get(DiscoveryClient);
await client.ready('svc-0');
global.gc?.();

const answers = {
  said: () => said,
  view: () => ({ ...client.view('svc-0'), count: client.instances('svc-0').length }),
  /** Watches so many services; the ms from the start of this program until all are known. */
  watch: async () => {
    const names = Array.from({ length: Number(count) }, (_, n) => `svc-${n}`);
    const views = await Promise.all(names.map((name) => client.ready(name, '30s')));
    const ms = performance.now() - started;
    return { ms, instances: views.reduce((sum, { all }) => sum + all.length, 0) };
  },
  memory: () => {
    global.gc?.();
    return process.memoryUsage();
  },
  cpu: () => ({ ...process.cpuUsage(), at: performance.now() }),
};
async function answer({ id, ask }) {
  process.send({ id, answer: await answers[ask]() });
}
process.on('message', (question) => void answer(question));
process.on('disconnect', () => process.exit());
process.send({ port: app.getHttpServer().address().port });
