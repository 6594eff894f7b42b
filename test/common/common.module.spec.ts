import 'reflect-metadata';
import { Controller, Get, Injectable, Module, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { CommonModule } from '../../lib/common/common.module.js';
import { MetadataExplorer } from '../../lib/common/metadata-explorer.js';
import { RequestContext } from '../../lib/common/request-context.js';
import { RequestListener } from '../../lib/common/request-listener.js';
import { ServiceIdentity } from '../../lib/common/service-identity.js';

abstract class Plugin {
  abstract readonly name: string;
}

@Injectable()
class FirstPlugin extends Plugin {
  override readonly name = 'first';
}

@Injectable({ scope: Scope.REQUEST })
class RequestPlugin extends Plugin {
  override readonly name = 'request';
}

@Controller()
class WhoController {
  constructor(private readonly context: RequestContext) {}

  @Get('who')
  who() {
    return { id: this.context.current?.correlationId };
  }
}

@Module({
  imports: [CommonModule],
  controllers: [WhoController],
  providers: [FirstPlugin, RequestPlugin, { provide: 'VALUE', useValue: new FirstPlugin() }],
})
class AppModule {}

let app: INestApplication | undefined;
afterEach(() => app?.close());

describe.each(['express', 'fastify'])('the common module on %s', (adapter) => {
  const create = async () => {
    const options = { logger: false } as const;
    app = await (adapter === 'fastify'
      ? NestFactory.create(AppModule, new FastifyAdapter(), options)
      : NestFactory.create(AppModule, options));
    return app;
  };

  it('stands before Nest on the server: observers, then takers, then Nest in its request context', async () => {
    const nest = await create();
    const listener = nest.get(RequestListener);
    const seen: string[] = [];
    listener.observe((request) => seen.push(request.url ?? ''));
    listener.take((request, response) => {
      if (request.url !== '/mine') return false;
      response.end('taken');
      return true;
    });
    await nest.listen(0, '127.0.0.1');
    const url = await nest.getUrl();
    expect(await (await fetch(`${url}/mine`)).text()).toBe('taken');
    const answer = await fetch(`${url}/who`, { headers: { 'x-correlation-id': 'abc' } });
    expect(await answer.json()).toEqual({ id: 'abc' });
    expect((await fetch(`${url}/nobody`)).status).toBe(404);
    expect(seen).toEqual(['/mine', '/who', '/nobody']);
  });
});

describe('the metadata explorer', () => {
  it('finds providers of a class, those made by hand too, and leaves request-scoped ones', async () => {
    app = await NestFactory.create(AppModule, { logger: false });
    await app.init();
    const names = app
      .get(MetadataExplorer)
      .providersOf(Plugin)
      .map(({ name }) => name);
    expect(names).toEqual(['first', 'first']);
    expect(
      app
        .get(MetadataExplorer)
        .controllers()
        .map(({ name }) => name),
    ).toEqual(['WhoController']);
  });
});

describe('the identity of a service', () => {
  it('is what modules were told, and they must agree', () => {
    const identity = new ServiceIdentity();
    identity.claim('discovery.name', 'orders', '1.2.0');
    identity.claim('config.name', 'orders');
    expect([identity.name, identity.version]).toEqual(['orders', '1.2.0']);
    expect(() => identity.claim('health.name', 'order')).toThrow(
      "health.name is 'order', but discovery.name is 'orders'. One application is one service",
    );
  });

  it.each(['Orders', 'or ders', '-orders', 'orders-', '', 'ö', 'a'.repeat(64), 'a.b', '../a'])(
    'refuses %p with a remedy',
    (name) => {
      expect(() => new ServiceIdentity().claim('discovery.name', name)).toThrow(/DNS label/);
    },
  );

  it('comes from the environment, or is asked for', () => {
    const { SERVICE_NAME } = process.env;
    try {
      delete process.env['SERVICE_NAME'];
      expect(() => new ServiceIdentity().name).toThrow('This service has no name.');
      process.env['SERVICE_NAME'] = 'stock';
      expect(new ServiceIdentity().name).toBe('stock');
    } finally {
      if (SERVICE_NAME === undefined) delete process.env['SERVICE_NAME'];
      else process.env['SERVICE_NAME'] = SERVICE_NAME;
    }
  });
});
