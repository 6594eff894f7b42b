import { describe, expect, it } from '@jest/globals';
import { parsePath } from '../../../lib/discovery/manifest/path-pattern.js';
import { compileRewrite } from '../../../lib/gateway/routes/path-rewrite.js';
import { RouteMatcher } from '../../../lib/gateway/routes/route-matcher.js';

function rewrite(from: string, to: string, path: string): string | undefined {
  const matcher = new RouteMatcher<{ rewrite: ReturnType<typeof compileRewrite> }>();
  for (const variant of parsePath(from).variants)
    matcher.add(
      { method: 'ALL', host: '', variant },
      { rewrite: compileRewrite(variant, parsePath(to)) },
    );
  const entry = matcher.find('GET', path.replaceAll(/;[^/]*/g, ''), '');
  return entry && (entry.rewrite ? entry.rewrite(path) : path);
}

describe('a rewritten path', () => {
  it.each([
    ['/api/orders/:id', '/orders/:id', '/api/orders/7', '/orders/7'],
    ['/api/orders/:id', '/orders/:id', '/api/orders/7/', '/orders/7/'],
    ['/api/orders', '/orders', '/api/orders', '/orders'],
    ['/api/orders', '/', '/api/orders', '/'],
    ['/', '/orders', '/', '/orders/'],
    ['/a/:x/:y', '/:y/:x', '/a/1/2', '/2/1'],
    ['/a/:x/:y', '/z/:y', '/a/1/2', '/z/2'],
    ['/api/{*rest}', '/{*rest}', '/api/a/b', '/a/b'],
    ['/api/{*rest}', '/{*rest}', '/api', '/'],
    ['/api/{*rest}', '/v1/{*rest}', '/api/', '/v1/'],
    ['/api/*rest', '/v1/*rest', '/api/a/b/', '/v1/a/b/'],
    ['/api/*rest', '/x/y/*rest', '/api/a%20b;c=1/d', '/x/y/a%20b;c=1/d'],
    ['/v:major/:id', '/:id/v/:major', '/v2/7', '/7/v/2'],
    ['/:a-:b.json', '/:b/:a', '/x-y-z.json', '/y-z/x'],
    ['/api/:id', '/fixed', '/api/7', '/fixed'],
    ['/api/:id', '/orders/:id', '/api;v=1/7;w=2', '/orders/7;w=2'],
    ['/a{/:b}', '/x{/:b}', '/a/1', '/x/1'],
    ['/a{/:b}', '/x{/:b}', '/a', '/x'],
    ['/api/:id', '/orders/:id', '/api/%2E%2e', '/orders/%2E%2e'],
    ['/same/:id', '/same/:id', '/same/1', '/same/1'],
  ])('%s becomes %s: %s is %s', (from, to, path, expected) => {
    expect(rewrite(from, to, path)).toBe(expected);
  });
});
