import { Controller, Get } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LocalInstance } from '../../../lib/discovery/local-instance.js';
import { GatewayRoute } from '../../../lib/discovery/manifest/gateway-route.decorator.js';
import { manifestFromMetadata } from '../../../lib/discovery/manifest/manifest-metadata.js';
import { digestOf, MANIFEST_PATH } from '../../../lib/discovery/manifest/route-manifest.js';
import { eventually } from '../../support/eventually.js';
import { ADAPTERS, NestColony } from '../../gateway/support/nest-colony.js';

@GatewayRoute('/api/orders')
@Controller('orders')
class Orders {
  @Get(':id') find() {
    return {};
  }
}

@Controller('private')
class Private {
  @Get() secret() {
    return {};
  }
}

describe.each(ADAPTERS)('a published manifest on %s', (adapter) => {
  let colony: NestColony;
  beforeEach(() => {
    colony = new NestColony();
  });
  afterEach(() => colony.close());

  it('is served ahead of every prefix, and is what the registration names', async () => {
    const { app, url } = await colony.start('orders', {
      adapter,
      controllers: [Orders, Private],
      prepare: (app) => app.setGlobalPrefix('internal'),
    });
    const answer = await fetch(url + MANIFEST_PATH);
    const body = await answer.text();
    expect(JSON.parse(body)).toEqual({
      v: 1,
      service: 'orders',
      routes: [
        {
          id: 'orders#Orders.find',
          method: 'GET',
          path: '/api/orders/:id',
          to: '/internal/orders/:id',
        },
      ],
    });
    expect(answer.headers.get('etag')).toBe(`"${digestOf(body)}"`);
    await eventually(() => {
      const { metadata = {} } = app.get(LocalInstance).current ?? {};
      expect(manifestFromMetadata('orders', metadata)).toBe(body);
    });
    expect(await (await fetch(url + MANIFEST_PATH, { method: 'HEAD' })).text()).toBe('');
    expect((await fetch(url + MANIFEST_PATH, { method: 'POST' })).status).toBe(404);
  });

  it('is not there while nothing is public', async () => {
    const { app, url } = await colony.start('orders', { adapter, controllers: [Private] });
    expect((await fetch(url + MANIFEST_PATH)).status).toBe(404);
    expect(app.get(LocalInstance).current?.metadata ?? {}).toEqual({});
  });
});
