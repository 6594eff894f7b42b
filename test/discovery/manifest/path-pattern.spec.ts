import { describe, expect, it } from '@jest/globals';
import { PathSyntaxError } from '../../../lib/discovery/manifest/manifest.errors.js';
import { parsePath, shapeOf } from '../../../lib/discovery/manifest/path-pattern.js';

const shapes = (path: string) => parsePath(path).variants.map(shapeOf);

describe('a path pattern', () => {
  it.each([
    ['/', ['/']],
    ['/orders', ['/orders']],
    ['/orders/', ['/orders']],
    ['//orders///:id', ['/orders/:']],
    ['/v:major/orders/:id.json', ['/v:/orders/:.json']],
    ['/files/*rest', ['/files/*']],
    ['/files/{*rest}', ['/files/*', '/files']],
    ['/files{/*rest}', ['/files/*', '/files']],
    ['/files/*', ['/files/*', '/files']],
    ['/a{/:b}{/:c}/d', ['/a/:/:/d', '/a/:/d', '/a/d']],
    ['/a{/b{/c}}', ['/a/b/c', '/a/b', '/a']],
    ['/caf\u00e9', ['/caf%C3%A9']],
    ['/caf%c3%a9/%41', ['/caf%C3%A9/A']],
    ['/a\\:b', ['/a\\:b']],
    ['/\u{1f426}', ['/%F0%9F%90%A6']],
  ])('reads %s', (path, expected) => {
    expect(shapes(path)).toEqual(expected);
  });

  it('tells a parameter from the same characters as text', () => {
    expect(shapes('/v\\:')).not.toEqual(shapes('/v:x'));
  });

  it.each([
    'orders',
    '/orders/:',
    '/orders/(\\d+)',
    '/orders/:id?',
    '/a+',
    '/a{b',
    '/a}b',
    '/files/*rest/more',
    '/files/x*rest',
    '/:a:b',
    '/:id/x/:id',
    '/a/../b',
    '/a/%2e',
    '/a;b',
    '/a#b',
    '/a%2Fb',
    '/a%zz',
    '/a%00',
    `/${'{a}'.repeat(9)}`,
    `/${'a/'.repeat(40)}`,
  ])('refuses %s', (path) => {
    expect(() => parsePath(path)).toThrow(PathSyntaxError);
  });
});
