// A service whose health depends on another process; SERVER says on what: express, fastify, or bare for nothing but
// Node's own server, which answers the same.
import 'reflect-metadata';
import { createServer } from 'node:http';

const { SERVER = 'express', DEPENDENCY, CACHE } = process.env;

async function nest() {
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { RookeryModule } = await import('nest-rookery');
  const { memory, MemoryHub } = await import('nest-rookery/discovery');
  const { HealthContributor } = await import('nest-rookery/health');

  class Dependency extends HealthContributor {
    name = 'dependency';
    cache = CACHE;
    timeout = '500ms';
    async check(signal) {
      const answer = await fetch(DEPENDENCY, { signal });
      await answer.arrayBuffer();
      return { status: answer.ok ? 'up' : 'down' };
    }
  }
  class AppModule {}
  Module({
    imports: [
      RookeryModule.forRoot({
        name: 'probed',
        config: false,
        discovery: { backend: memory(new MemoryHub()) },
        health: { interval: '1s', timeout: '900ms' },
      }),
    ],
    providers: [Dependency],
  })(AppModule);
  const adapter =
    SERVER === 'fastify'
      ? new (await import('@nestjs/platform-fastify')).FastifyAdapter()
      : new (await import('@nestjs/platform-express')).ExpressAdapter();
  const app = await NestFactory.create(AppModule, adapter, { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  return app.getHttpServer();
}

function bare() {
  const body = '{"service":"probed","status":"up","timestamp":"2026-01-01T00:00:00.000Z"}';
  const server = createServer((_request, response) => {
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const server = await (SERVER === 'bare' ? bare() : nest());
process.send({ port: server.address().port });
process.on('disconnect', () => process.exit());
