import { describe, expect, it } from '@jest/globals';
import { manifestToMetadata } from '../../../lib/discovery/manifest/manifest-metadata.js';
import {
  type ManifestRoute,
  sealManifest,
} from '../../../lib/discovery/manifest/route-manifest.js';
import type { ServiceInstance } from '../../../lib/discovery/service-instance.js';
import { ServiceRoutes } from '../../../lib/gateway/routes/service-routes.js';

const route = (path: string, to = path): ManifestRoute => ({
  id: `orders#${path}`,
  method: 'GET',
  path,
  to,
});
const manifest = (...routes: ManifestRoute[]) => sealManifest('orders', routes);

function instance(metadata: Readonly<Record<string, string>> = {}): ServiceInstance {
  return {
    id: Math.random().toString(36),
    service: 'orders',
    host: '127.0.0.1',
    port: 1,
    ports: {},
    scheme: 'http',
    status: 'up',
    weight: 1,
    tags: [],
    metadata,
  };
}
const of = (...routes: ManifestRoute[]) => instance(manifestToMetadata(manifest(...routes)));

describe('the routes of a service', () => {
  it('name no manifests while all instances have them', () => {
    const service = new ServiceRoutes('orders');
    const update = service.update([of(route('/a')), of(route('/a'))]);
    expect(update).toEqual({ changed: true, missing: [] });
    expect(service.routes()).toMatchObject([
      { id: 'orders#/a', path: '/a', to: 'orders', method: 'GET' },
    ]);
    expect(service.routes()[0]?.digests).toBeUndefined();
  });

  it('name the manifests that have them while a build is rolled out', () => {
    const service = new ServiceRoutes('orders');
    service.update([of(route('/a')), of(route('/a'), route('/b')), instance()]);
    const [a, b] = service.routes();
    expect(a?.digests?.size).toBe(2);
    expect([...(b?.digests ?? [])]).toEqual([manifest(route('/a'), route('/b')).digest]);
  });

  it('lead where most instances lead, when builds disagree', () => {
    const service = new ServiceRoutes('orders');
    service.update([of(route('/a', '/old')), of(route('/a', '/new')), of(route('/a', '/new'))]);
    expect(service.routes()).toMatchObject([{ rewrite: '/new' }]);
    expect([...(service.routes()[0]?.digests ?? [])]).toEqual([
      manifest(route('/a', '/new')).digest,
    ]);
  });

  it('stay the same objects while only other things change', () => {
    const service = new ServiceRoutes('orders');
    const first = of(route('/a'));
    service.update([first]);
    const routes = service.routes();
    expect(service.update([{ ...first, status: 'degraded' }]).changed).toBe(false);
    expect(service.routes()).toBe(routes);
  });

  it('are no others while instances come and go that publish none', () => {
    const service = new ServiceRoutes('orders');
    service.update([instance()]);
    expect(service.routes()).toEqual([]);
    expect(service.update([instance(), instance()])).toEqual({ changed: false, missing: [] });
    expect(service.update([])).toEqual({ changed: false, missing: [] });
    expect(service.update([of(route('/a'))]).changed).toBe(true);
  });

  it('are others when an instance comes that cannot serve them', () => {
    const service = new ServiceRoutes('orders');
    const first = of(route('/a'));
    service.update([first]);
    service.routes();
    expect(service.update([first, instance()]).changed).toBe(true);
    expect(service.routes()[0]?.digests?.size).toBe(1);
  });

  it('wait for a manifest that is only named, and tell of one that cannot be read', () => {
    const service = new ServiceRoutes('orders');
    const { digest, body } = manifest(route('/a'));
    const named = instance({ 'rookery-digest': digest });
    expect(service.update([named]).missing).toEqual([digest]);
    expect(service.lacks(digest)).toBe(true);
    service.learn(digest, () => body);
    expect(service.lacks(digest)).toBe(false);
    expect(service.routes()).toHaveLength(1);
    service.update([instance({ 'rookery-digest': '0'.repeat(12), 'rookery-m0': 'x' })]);
    expect(service.routes()).toEqual([]);
    expect(service.refused).toEqual([
      expect.stringMatching(/^The route manifest of "orders" cannot/),
    ]);
  });
});
