import { All, Controller, Delete, Get, Param } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GatewayRoute } from '../../lib/discovery/manifest/gateway-route.decorator.js';
import { GatewayRoutes } from '../../lib/gateway/gateway-routes.js';
import { eventually } from '../support/eventually.js';
import { ADAPTERS, NestColony, type StartedApp } from './support/nest-colony.js';
import { exchangeRaw } from './support/raw-http.js';

/** Hidden handlers stand before public ones that would cover them, as they must for Nest to find them at all. */
@GatewayRoute('/api/items')
@Controller('items')
class Items {
  @GatewayRoute(false) @Get('admin') admin() {
    return { reached: 'hidden' };
  }

  @GatewayRoute(false) @Get('reports/:year/v:major') report() {
    return { reached: 'hidden' };
  }

  @Get(':id') find(@Param('id') id: string) {
    return { id };
  }

  @Delete(':id') remove(@Param('id') id: string) {
    return { removed: id };
  }

  @GatewayRoute('/api/archive/{*path}') @Get('*') archive() {
    return { archive: true };
  }
}

@Controller('items/undecorated')
class Undecorated {
  @All('deep/*') all() {
    return { reached: 'hidden' };
  }
}

describe.each(ADAPTERS)('handlers that are not public, behind a gateway on %s', (adapter) => {
  let colony: NestColony;
  let gateway: StartedApp;

  beforeEach(async () => {
    colony = new NestColony();
    await colony.start('items', { adapter, controllers: [Undecorated, Items] });
    gateway = await colony.start('gateway', { adapter, gateway: {} });
    await eventually(() => expect(gateway.app.get(GatewayRoutes).list()).toHaveLength(3));
  });
  afterEach(() => colony.close());

  it.each([
    '/api/items/admin',
    '/api/items/ADMIN',
    '/api/items/admin/',
    '/api/items/admin?x=1',
    '/api/items/%61dmin',
    '/api/items/%41dmin',
    '/api/items/x/../admin',
    '/api/items/x/%2e%2e/admin',
    '/api/items/./admin',
    '/api/items//admin',
    '/api/items/admin;a=b',
    '/api/archive/admin',
    '/api/archive/reports/2026/v1',
    '/api/archive/Reports/2026/V1/',
    '/api/archive/undecorated/deep/er/still',
  ])('are not reached as %s', async (path) => {
    for (const method of ['GET', 'HEAD']) {
      const request = `${method} ${path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n`;
      const answer = await exchangeRaw(gateway.port, request);
      expect(answer).toMatch(/^HTTP\/1\.1 4(00|04) /);
      expect(answer).not.toContain('hidden');
    }
  });

  it.each([
    ['GET', '/api/items/7', { id: '7' }],
    ['GET', '/api/items/administrator', { id: 'administrator' }],
    ['DELETE', '/api/items/admin', { removed: 'admin' }],
    ['GET', '/api/archive/anything/else', { archive: true }],
    ['GET', '/api/archive/reports/2026/w1', { archive: true }],
  ])('leave what is public alone: %s %s', async (method, path, answer) => {
    expect(await (await fetch(gateway.url + path, { method })).json()).toEqual(answer);
  });
});
