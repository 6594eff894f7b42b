import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { ManifestError } from '../../../lib/discovery/manifest/manifest.errors.js';
import {
  manifestFromMetadata,
  manifestToMetadata,
} from '../../../lib/discovery/manifest/manifest-metadata.js';
import { readManifest } from '../../../lib/discovery/manifest/manifest-reader.js';
import {
  digestOf,
  type ManifestRoute,
  sealManifest,
} from '../../../lib/discovery/manifest/route-manifest.js';

const route = (over: Partial<Record<keyof ManifestRoute | 'auth', unknown>> = {}) => ({
  id: 'orders#OrdersController.find',
  method: 'GET',
  path: '/api/orders/:id',
  to: '/orders/:id',
  ...over,
});
const body = (...routes: unknown[]) => JSON.stringify({ v: 1, service: 'orders', routes });

const name = fc.stringMatching(/^[a-z]{1,12}$/);
const routes = fc.array(
  fc.record({
    segment: name,
    method: fc.constantFrom('GET', 'POST', 'ALL'),
    timeout: fc.nat(9_999),
  }),
  { maxLength: 60 },
);

describe('a route manifest', () => {
  it('comes out of the registry as it went in', () => {
    fc.assert(
      fc.property(routes, (list) => {
        const given = list.map(({ segment, method, timeout }, index): ManifestRoute => ({
          id: `orders#C.h${index}`,
          method,
          path: `/api/${segment}/:id`,
          to: `/${segment}/:id`,
          timeout,
        }));
        const sealed = sealManifest('orders', given);
        const metadata = manifestToMetadata(sealed);
        for (const [key, value] of Object.entries(metadata)) {
          expect(key).toMatch(/^[\w-]{1,128}$/);
          expect(value.length).toBeLessThanOrEqual(512);
        }
        const text = manifestFromMetadata('orders', metadata) ?? '';
        expect(text).toBe(sealed.body);
        expect(
          readManifest('orders', text)
            .routes.map(({ id }) => id)
            .toSorted(),
        ).toEqual(given.map(({ id }) => id).toSorted());
      }),
      { numRuns: 60 },
    );
  });

  it('has the same digest in whatever order its routes were found', () => {
    const a = route() as ManifestRoute;
    const b = route({ path: '/api/x/:id', id: 'orders#X.x' }) as ManifestRoute;
    expect(sealManifest('orders', [a, b])).toEqual(sealManifest('orders', [b, a]));
    expect(sealManifest('orders', [a]).digest).toMatch(/^[0-9a-f]{12}$/);
  });

  it('leaves only its digest in the registry when it is too large for it', () => {
    const many = Array.from({ length: 600 }, (_, n) =>
      route({ id: `orders#C.${randomBytes(40).toString('hex')}`, path: `/api/r${n}/:id` }),
    ) as ManifestRoute[];
    const metadata = manifestToMetadata(sealManifest('orders', many));
    expect(Object.keys(metadata)).toEqual(['rookery-digest']);
    expect(manifestFromMetadata('orders', metadata)).toBeUndefined();
  });
});

const pack = (text: string | Buffer) => ({
  'rookery-digest': digestOf(text),
  'rookery-m0': gzipSync(text).toString('base64url'),
});

describe('a hostile manifest', () => {
  it('is refused when it inflates beyond a mebibyte', () => {
    expect(() => manifestFromMetadata('orders', pack(Buffer.alloc(2 << 20)))).toThrow(
      ManifestError,
    );
  });

  it.each([
    ['a part that is missing', { 'rookery-digest': digestOf('x'), 'rookery-m0': 'H4sI' }],
    ['another text than the digest names', { ...pack('{}'), 'rookery-digest': '0'.repeat(12) }],
    ['no digest', { 'rookery-m0': pack('{}')['rookery-m0'] }],
  ])('is refused when it has %s', (_what, metadata) => {
    expect(() => manifestFromMetadata('orders', metadata)).toThrow(ManifestError);
  });

  it.each([
    ['nonsense', 'nonsense'],
    ['a list', '[]'],
    ['null', 'null'],
    ['an unknown version', JSON.stringify({ v: 2, service: 'orders', routes: [] })],
    ['another service', JSON.stringify({ v: 1, service: 'login', routes: [] })],
    ['no routes', JSON.stringify({ v: 1, service: 'orders' })],
    ['too many routes', body(...Array.from({ length: 10_001 }, () => 0))],
  ])('is refused when it is %s', (_what, text) => {
    expect(() => readManifest('orders', text)).toThrow(ManifestError);
  });

  it.each([
    ['no object', 7],
    ['an unknown field, which could be a rule', route({ auth: { scopes: ['admin'] } })],
    ['no id', route({ id: '' })],
    ['a line break in its id', route({ id: 'a\nb' })],
    ['an odd method', route({ method: 'get' })],
    ['a path without a slash', route({ path: 'orders' })],
    ['an expression as its path', route({ path: '/(a+)+$' })],
    ['a target with a foreign parameter', route({ to: '/x/:other' })],
    ['a target elsewhere', route({ to: 'http://169.254.169.254/' })],
    ['a long path', route({ path: `/${'a'.repeat(2_000)}` })],
    ['a negative timeout', route({ timeout: -1 })],
    ['a host with a port', route({ hosts: ['example.com:80'] })],
    ['nested metadata', route({ metadata: { a: {} } })],
    ['the path of manifests', route({ path: '/.well-known/rookery/manifest', to: '/x' })],
  ])('loses a route with %s, and keeps the others', (_what, bad) => {
    const read = readManifest('orders', body(bad, route()));
    expect(read.routes).toHaveLength(1);
    expect(read.refused).toHaveLength(1);
  });

  it('pollutes no prototype', () => {
    const text = body(route()).replace('"id"', '"metadata":{"__proto__":"x"},"id"');
    const [read] = readManifest('orders', text).routes;
    expect(Object.getPrototypeOf(read?.metadata)).toBeNull();
    expect(Object.keys(read?.metadata ?? {})).toEqual(['__proto__']);
    expect(readManifest('orders', `{"__proto__":{"x":1},${body().slice(1)}`).routes).toEqual([]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('never does worse than being refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (one, two) => {
        const text = `{"v":1,"service":"orders","routes":[${one},{"id":"a","method":"GET","path":${two},"to":${two}}]}`;
        const read = readManifest('orders', text);
        expect(read.routes.length + read.refused.length).toBe(2);
      }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), fc.string(), (metadata, part) => {
        try {
          manifestFromMetadata('orders', { ...metadata, 'rookery-m0': part || 'x' });
        } catch (error) {
          expect(error).toBeInstanceOf(ManifestError);
        }
      }),
    );
  });
});
