import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  type PathVariant,
  parsePath,
  type Segment,
} from '../../../lib/discovery/manifest/path-pattern.js';
import { RouteMatcher } from '../../../lib/gateway/routes/route-matcher.js';

interface Given {
  readonly method: string;
  readonly host: string;
  readonly path: string;
}

function matcherOf(routes: readonly Given[]): RouteMatcher<string> {
  const matcher = new RouteMatcher<string>();
  for (const { method, host, path } of routes) {
    for (const variant of parsePath(path).variants)
      matcher.add({ method, host, variant }, `${method} ${host}${path}`);
  }
  return matcher;
}

const at = (path: string, method = 'ALL', host = ''): Given => ({ method, host, path });

describe('the route matcher', () => {
  const matcher = matcherOf([
    at('/'),
    at('/orders'),
    at('/orders/:id', 'GET'),
    at('/orders/:id'),
    at('/orders/export'),
    at('/orders/v:version'),
    at('/orders/v1:rest'),
    at('/orders/:id/items/:item'),
    at('/files/{*rest}'),
    at('/files/*rest', 'GET', 'a.example.com'),
    at('/files/*rest', 'GET', '*.example.com'),
    at('/only/*rest'),
    at('/mixed/:a-:b.json'),
  ]);

  it.each([
    ['GET', '/', '', 'ALL /'],
    ['GET', '/orders', '', 'ALL /orders'],
    ['GET', '/orders/', '', 'ALL /orders'],
    ['GET', '/Orders', '', undefined],
    ['GET', '/ordersx', '', undefined],
    ['GET', '/orders/7', '', 'GET /orders/:id'],
    ['HEAD', '/orders/7', '', 'GET /orders/:id'],
    ['PUT', '/orders/7', '', 'ALL /orders/:id'],
    ['GET', '/orders/export', '', 'ALL /orders/export'],
    ['GET', '/orders/v2', '', 'ALL /orders/v:version'],
    ['GET', '/orders/v17', '', 'ALL /orders/v1:rest'],
    ['GET', '/orders/export/items/3', '', 'ALL /orders/:id/items/:item'],
    ['GET', '/orders/7/items', '', undefined],
    ['GET', '/files', '', 'ALL /files/{*rest}'],
    ['GET', '/files/a/b', '', 'ALL /files/{*rest}'],
    ['GET', '/files/a/b', 'a.example.com', 'GET a.example.com/files/*rest'],
    ['GET', '/files/a/b', 'b.example.com', 'GET *.example.com/files/*rest'],
    ['GET', '/files/a/b', 'example.com', 'ALL /files/{*rest}'],
    ['GET', '/files/a/b', 'a.example.com.evil.org', 'ALL /files/{*rest}'],
    ['PUT', '/files/a/b', 'a.example.com', 'ALL /files/{*rest}'],
    ['GET', '/only', '', undefined],
    ['GET', '/only/x', '', 'ALL /only/*rest'],
    ['GET', '/mixed/a-b-c.json', '', 'ALL /mixed/:a-:b.json'],
    ['GET', '/mixed/-b.json', '', undefined],
    ['GET', '/mixed/a-.json', '', undefined],
    ['GET', '/mixed/a-b.jsonx', '', undefined],
  ])('leads %s %s of "%s" to %s', (method, path, host, expected) => {
    expect(matcher.find(method, path, host)).toBe(expected);
  });

  it('takes no time for a path made to be slow', () => {
    const hostile = matcherOf([
      at(`/${Array.from({ length: 20 }, (_, n) => `:p${n}`).join('-')}.z`),
    ]);
    const started = performance.now();
    expect(hostile.find('GET', `/${'-'.repeat(8_000)}`, '')).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('decides as a slow and simple reader would', () => {
    const word = fc.constantFrom('a', 'b', 'ab', 'x1', 'x');
    const pattern = fc.oneof(
      word,
      word.map((text) => `:${text}`),
      word.map((text) => `x:${text}`),
    );
    const path = fc
      .tuple(
        fc.array(pattern, { maxLength: 4 }),
        fc.constantFrom('', '/*end', '/{*end}', '{/:opt}'),
      )
      .map(([parts, tail]) => {
        // Names are made different, as a path must have them.
        const named = parts.map((part, index) => part.replace(/:.*/, `:p${index}`));
        const path = named.length > 0 ? `/${named.join('/')}${tail}` : tail.replace('{/', '/{');
        return path || '/';
      });
    const route = fc.record({
      path,
      method: fc.constantFrom('GET', 'POST', 'ALL'),
      host: fc.constantFrom('', '', 'h.example.com', '*.example.com'),
    });
    const request = fc.record({
      path: fc.array(word, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`),
      slash: fc.boolean(),
      method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT'),
      host: fc.constantFrom('', 'h.example.com', 'i.example.com'),
    });
    fc.assert(
      fc.property(fc.array(route, { maxLength: 12 }), fc.array(request), (routes, requests) => {
        const matcher = matcherOf(routes);
        for (const { method, path, slash, host } of requests) {
          const asked = slash && path !== '/' ? `${path}/` : path;
          expect(matcher.find(method, asked, host)).toBe(naive(routes, { method, path, host }));
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** Tries every route, ranks those that match, and takes the best; of equal ones the first. */
function naive(routes: readonly Given[], asked: Given): string | undefined {
  const ranked = routes
    .flatMap((route) => parsePath(route.path).variants.map((variant) => ({ route, variant })))
    .filter(({ route, variant }) => accepts(route, variant, asked))
    .map(({ route, variant }, index) => ({ route, rank: rankOf(route, variant, asked), index }))
    .toSorted((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.index - b.index));
  const best = ranked[0]?.route;
  return best && `${best.method} ${best.host}${best.path}`;
}

function accepts(route: Given, variant: PathVariant, { method, host, path }: Given): boolean {
  const methods = method === 'HEAD' ? ['HEAD', 'GET', 'ALL'] : [method, 'ALL'];
  if (!methods.includes(route.method)) return false;
  if (
    route.host.startsWith('*')
      ? !host.endsWith(route.host.slice(1))
      : route.host && route.host !== host
  )
    return false;
  const source = variant.map((segment) => `/${expression(segment)}`).join('');
  return new RegExp(`^${source}$`).test(path === '/' ? '' : path);
}

function expression(segment: Segment): string {
  if (segment.kind === 'literal') return segment.text;
  if (segment.kind === 'param') return '[^/]+';
  if (segment.kind === 'wildcard') return '.+';
  return segment.parts.map((part) => (part.kind === 'text' ? part.text : '[^/]+')).join('');
}

/** Smaller is more specific. */
function rankOf(route: Given, variant: PathVariant, asked: Given): string {
  const host = route.host === '' ? 2 : route.host.startsWith('*') ? 1 : 0;
  const order = { literal: 0, mixed: 1, param: 2, wildcard: 3 };
  const segments = variant.map(({ kind }) => order[kind]).join('');
  const method = route.method === 'ALL' ? 2 : route.method === asked.method ? 0 : 1;
  return `${host}|${segments}|${method}`;
}
