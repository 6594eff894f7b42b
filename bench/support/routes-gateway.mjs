// A gateway whose registry says what the parent tells it: `{ number, build, instances }`, the instances of `items`. It answers
// with what a change cost this process in CPU time, in ms, until its routes were served.
import 'reflect-metadata';
import { once } from 'node:events';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RookeryModule } from 'nest-rookery';
import { EventHub } from 'nest-rookery/common';
import { InstanceSource } from 'nest-rookery/discovery';
import { GatewayRoutes } from 'nest-rookery/gateway';

/** A registry that says what it is told. */
class ToldSource extends InstanceSource {
  #wake = [];
  #now = [];

  tell(instances) {
    this.#now = instances;
    for (const wake of this.#wake.splice(0)) wake();
  }

  async *instances(_service, signal) {
    while (!signal.aborted) {
      const told = this.#now;
      yield told;
      if (told === this.#now) await new Promise((resolve) => this.#wake.push(resolve));
    }
  }

  async *services(signal) {
    yield ['items'];
    await once(signal, 'abort').catch(() => {});
  }
}

const source = new ToldSource();
class AppModule {}
Module({
  imports: [
    RookeryModule.forRoot({
      name: 'bench',
      config: false,
      discovery: { backend: () => ({ name: 'told', remote: false, source }) },
      gateway: {},
    }),
  ],
})(AppModule);
const app = await NestFactory.create(AppModule, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
const routes = app.get(GatewayRoutes);
const events = app.get(EventHub);

process.on('message', (message) => void change(message));

async function change({ number, build, instances }) {
  const before = process.cpuUsage();
  source.tell(instances);
  await until(build);
  const { user, system } = process.cpuUsage(before);
  process.send({ number, cost: (user + system) / 1_000, live: routes.table.routes.length });
}
process.on('disconnect', () => process.exit());
process.send({ port: app.getHttpServer().address().port });

/** Waits for the first table that has a build's routes. */
function until(build) {
  const path = `/api/items/resource-0-${build}/:id`;
  const isLive = () => routes.table.routes.some((route) => route.path === path);
  if (isLive()) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = events.on('routes.changed', () => {
      if (!isLive()) return;
      stop();
      resolve();
    });
  });
}
