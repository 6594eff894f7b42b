import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { RequestTarget } from '../../../lib/gateway/proxy/path.js';

function read(target: string, encodedSlash = false): RequestTarget | undefined {
  const reader = new RequestTarget(encodedSlash);
  return reader.read(target) ? reader : undefined;
}

describe('the canonical path', () => {
  it.each([
    ['/', '/'],
    ['/api/private', '/api/private'],
    ['/api/private/', '/api/private/'],
    ['/api/./private', '/api/private'],
    ['/api/%2e/private', '/api/private'],
    ['/api/x/../private', '/api/private'],
    ['/api/x/%2e%2E/private', '/api/private'],
    ['/api/x/..', '/api/'],
    ['/api/x/.', '/api/x/'],
    ['/api//private', '/api/private'],
    ['//api///private', '/api/private'],
    ['/%61pi/priv%61te', '/api/private'],
    ['/api/%7Euser', '/api/~user'],
    ['/api/%c3%a9', '/api/%C3%A9'],
    ['/api/a%20b', '/api/a%20b'],
    ['/api/a%40b', '/api/a%40b'],
    ['/api/a%252e', '/api/a%252e'],
    ['/api/...', '/api/...'],
    ['/api/.hidden', '/api/.hidden'],
    ["/api/a!b'(c)*", "/api/a!b'(c)*"],
    ['/api/%21%27%28%29%2A', "/api/!'()*"],
    ['/..%3bx', '/..%3Bx'],
    ['http://h/api/private', '/api/private'],
    ['HTTPS://h:1/api/./x', '/api/x'],
    ['http://h', '/'],
  ])('of %s is %s', (target, expected) => {
    expect(read(target)?.path).toBe(expected);
  });

  it.each([
    '',
    '*',
    'api',
    'http://user@h/x',
    'http:///x',
    'ftp://h/x',
    'h:443',
    '/..',
    '/api/../..',
    '/%2e%2e/x',
    '/a/..;x/../y',
    '/api\\private',
    '/api%5cprivate',
    '/api%5Cprivate',
    '/api%2fprivate',
    '/api%2Fprivate',
    '/api%00',
    '/api%0a',
    '/api%0d',
    '/api%7f',
    '/api%',
    '/api%4',
    '/api%zz',
    '/api%%41',
    '/api%c0%ae',
    '/api%ff',
    '/api#x',
    '/api?x#y',
    '/api\u00e9',
    '/api\u0001',
    '/api x',
    '/api/;x/private',
    '/;',
  ])('is refused for %j', (target) => {
    expect(read(target)).toBeUndefined();
  });

  it.each([
    ['/api/private;a', '/api/private;a', '/api/private'],
    ['/api;v=1/private', '/api;v=1/private', '/api/private'],
    ['/api/x/..;a/private', '/api/private', '/api/private'],
    ['/api/.;a/private', '/api/private', '/api/private'],
  ])('of %s is sent as %s and matched as %s', (target, sent, matched) => {
    expect(read(target)).toMatchObject({ path: sent, matched });
  });

  it('leaves the query as it came', () => {
    const query = '?q=%20a+b&&x[]=1&y=%zz/../\u00e9';
    expect(read(`/a/../b${query}`)).toMatchObject({ path: '/b', query });
    expect(read('/a?')).toMatchObject({ query: '?' });
  });

  it('keeps an encoded slash where that was asked for', () => {
    expect(read('/api%2fx/../y', true)?.path).toBe('/y');
    expect(read('/api/a%2fb', true)?.path).toBe('/api/a%2Fb');
  });

  it('is its own canonical path, and holds nothing that was refused', () => {
    const piece = fc.constantFrom(
      '/',
      '.',
      '..',
      ';',
      ';a',
      '%2e',
      '%2F',
      '%61',
      '%C3%A9',
      'a',
      'B',
      '%',
      '%25',
      '\\',
      '%5c',
      '~',
      '@',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const target = read(`/${pieces.join('')}`);
        if (!target) return;
        const { path, matched } = target;
        expect(read(path)).toMatchObject({ path, matched });
        expect(matched).not.toMatch(/\/\/|\\|;|%2f|%5c|%61|\/\.{1,2}(\/|$)/i);
        expect(path.split('/').length).toBe(matched.split('/').length);
      }),
      { numRuns: 5_000 },
    );
  });
});
