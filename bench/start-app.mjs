// One application for start.mjs: prints, as JSON, the ms until it listened, its CPU time and its memory after a while.
import 'reflect-metadata';
import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const imports = {
  bare: async () => [],
  packages: async () => {
    const [{ ConfigModule }, { TerminusModule }] = await Promise.all([
      import('@nestjs/config'),
      import('@nestjs/terminus'),
    ]);
    return [ConfigModule.forRoot({ ignoreEnvFile: true }), TerminusModule];
  },
  rookery: async () => {
    const { RookeryModule } = await import('nest-rookery');
    return [RookeryModule.forRoot({ name: 'bench' })];
  },
  gateway: async () => {
    const { RookeryModule } = await import('nest-rookery');
    return [RookeryModule.forRoot({ name: 'bench', gateway: true })];
  },
};

class HelloController {
  hello() {
    return 'hello';
  }
}
Controller()(HelloController);
Get()(
  HelloController.prototype,
  'hello',
  Object.getOwnPropertyDescriptor(HelloController.prototype, 'hello'),
);

class AppModule {}
process.env.DISCOVERY_NAMESPACE = `bench-${process.pid}`;
Module({ imports: await imports[process.argv[2]](), controllers: [HelloController] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
const ms = performance.now();
const { user, system } = process.cpuUsage();
await pause(300);
globalThis.gc();
const { rss, heapUsed } = process.memoryUsage();
console.log(
  JSON.stringify({
    ms,
    cpu: (user + system) / 1_000,
    rss: rss / 2 ** 20,
    heap: heapUsed / 2 ** 20,
  }),
);
await app.close();
process.exit();
