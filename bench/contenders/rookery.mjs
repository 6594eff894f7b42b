// Ours: a real Nest application that RookeryModule makes a gateway. ADAPTER is express or fastify; FEATURES=off leaves
// out what can be left out, to see what the rest costs.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RookeryModule } from 'nest-rookery';
import { staticInstances } from 'nest-rookery/discovery';

const { PORT, UPSTREAMS, FEATURES, ADAPTER, BODY_LIMIT } = process.env;
const origins = UPSTREAMS.split(',');
const limits = BODY_LIMIT === undefined ? {} : { body: Number(BODY_LIMIT) };

/** Balancing over all instances, circuit, ejection, retries, deadlines, access log. */
const on = {
  discovery: { backend: staticInstances({ items: origins }) },
  gateway: { routes: [{ path: '/api/{*rest}', to: 'items' }], accessLog: true, limits },
};

const off = {
  discovery: { backend: staticInstances({}) },
  gateway: { routes: [{ path: '/api/{*rest}', to: origins[0], timeout: 0 }] },
  upstreams: {
    defaults: {
      circuit: false,
      outlier: false,
      retry: false,
      timeouts: { response: 0, idle: 0 },
    },
  },
};

class AppModule {}
Module({
  imports: [
    RookeryModule.forRoot({ name: 'bench', config: false, ...(FEATURES === 'off' ? off : on) }),
  ],
})(AppModule);

const adapter =
  ADAPTER === 'fastify'
    ? new (await import('@nestjs/platform-fastify')).FastifyAdapter()
    : new (await import('@nestjs/platform-express')).ExpressAdapter();
const app = await NestFactory.create(AppModule, adapter, { logger: ['error'] });
await app.listen(Number(PORT), '127.0.0.1');
