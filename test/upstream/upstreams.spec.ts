import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CommonModule } from '../../lib/common/common.module.js';
import { MemoryHub, memory } from '../../lib/discovery/backends/memory.backend.js';
import { DiscoveryModule } from '../../lib/discovery/discovery.module.js';
import { Circuits } from '../../lib/resilience/circuits.js';
import { UpstreamModule } from '../../lib/upstream/upstream.module.js';
import type { UpstreamModuleOptions } from '../../lib/upstream/upstream.options.js';
import { Upstreams } from '../../lib/upstream/upstreams.js';
import { eventually } from '../support/eventually.js';
import { instanceOn } from './upstream-fixture.js';

const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function serve(name: string): Promise<{ server: Server; port: number }> {
  const server = createServer((_request, response) => response.end(name));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => new Promise((resolve) => server.close(resolve)));
  return { server, port: (server.address() as AddressInfo).port };
}

async function start(options?: UpstreamModuleOptions, hub = new MemoryHub()) {
  @Module({
    imports: [
      CommonModule,
      DiscoveryModule.forRoot({ name: 'caller', backend: memory(hub) }),
      options === undefined ? UpstreamModule : UpstreamModule.forRoot(options),
    ],
  })
  class AppModule {}
  const app: INestApplicationContext = await NestFactory.createApplicationContext(AppModule, {
    logger: false,
    abortOnError: false,
  });
  opened.push(() => app.close());
  const table = hub.table('default');
  const lease = {};
  const register = (port: number) => table.put(instanceOn(port), lease);
  const deregister = (port: number) => table.remove(instanceOn(port).id, lease);
  return { app, upstreams: app.get(Upstreams), register, deregister, hub };
}

describe('Upstreams', () => {
  it('calls a service as its instances come and go, from the very first call', async () => {
    const [one, other] = [await serve('one'), await serve('other')];
    const { upstreams, register, deregister } = await start();
    register(one.port);
    const orders = upstreams.get('orders');
    expect(await (await orders.request({ path: '/' })).text()).toBe('one');
    register(other.port);
    await eventually(() => expect(orders.endpoints).toHaveLength(2));
    deregister(one.port);
    await eventually(() => expect(orders.endpoints).toHaveLength(1));
    expect(await (await orders.request({ path: '/' })).text()).toBe('other');
  });

  it('keeps one upstream for each name, and lists its circuit', async () => {
    const { app, upstreams } = await start({ services: { free: { circuit: false } } });
    const orders = upstreams.get('orders');
    expect(upstreams.get('orders')).toBe(orders);
    upstreams.get('free');
    expect(upstreams.all().map(({ name }) => name)).toEqual(['orders', 'free']);
    expect(app.get(Circuits).all()).toEqual([orders.circuit]);
  });

  it('calls a fixed origin without discovery', async () => {
    const { port } = await serve('fixed');
    const { upstreams } = await start();
    const origin = `http://127.0.0.1:${port}`;
    expect(await (await upstreams.to(origin).request({ path: '/' })).text()).toBe('fixed');
    expect(upstreams.to(`${origin}/`)).toBe(upstreams.to(origin));
    expect(() => upstreams.to('orders')).toThrow(/is no origin/);
  });

  it('fails a call to a service nobody has registered', async () => {
    const { upstreams } = await start({});
    await expect(upstreams.get('orders').request({ path: '/' })).rejects.toMatchObject({
      code: 'ERR_NO_ENDPOINT',
      message: 'No endpoint of "orders" can take a request: no instance is registered.',
    });
  });

  it('refuses a name that no service can have', async () => {
    const { upstreams } = await start();
    expect(() => upstreams.get('Not A Service')).toThrow();
    expect(upstreams.all()).toEqual([]);
  });

  it('does not start with options that cannot be used', async () => {
    await expect(start({ defaults: { timeouts: { connect: 0 } } })).rejects.toThrow(
      'upstream.defaults.timeouts.connect is 0ms. Make it at least 1ms.',
    );
  });

  it('closes its connections with the application', async () => {
    const { server, port } = await serve('x');
    const { app, upstreams } = await start();
    await (await upstreams.to(`http://127.0.0.1:${port}`).request({ path: '/' })).text();
    const count = () =>
      new Promise<number>((resolve, reject) =>
        server.getConnections((error, open) => (error ? reject(error) : resolve(open))),
      );
    expect(await count()).toBe(1);
    await app.close();
    await eventually(async () => expect(await count()).toBe(0));
    expect(app.get(Circuits).all()).toEqual([]);
  });
});
