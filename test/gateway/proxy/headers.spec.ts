import { describe, expect, it } from '@jest/globals';
import { requestLines } from '../../../lib/gateway/proxy/headers.js';
import { trustedProxies } from '../../../lib/gateway/proxy/trusted-proxies.js';

const CLIENT = { address: '9.9.9.9', proto: 'http', trusted: false } as const;
const PROXY = { address: '10.0.0.1', proto: 'http', trusted: true } as const;
const lines = (raw: string[], by: typeof CLIENT | typeof PROXY) =>
  requestLines(raw, by, 'shop').split('\r\n').slice(0, -1);

describe('what a proxy says of its client', () => {
  const said = [
    ['X-Forwarded-For', '1.1.1.1'],
    ['x-forwarded-for', '2.2.2.2'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'public.example.com'],
    ['X-Forwarded-Port', '443'],
    ['Forwarded', 'for=1.1.1.1'],
    ['x_forwarded_proto', 'gopher'],
  ].flat();

  it('is passed on when the proxy is trusted, with its own address added', () => {
    expect(lines(said, PROXY)).toEqual([
      'X-Forwarded-Port: 443',
      'Forwarded: for=1.1.1.1',
      'x-forwarded-for: 1.1.1.1, 2.2.2.2, 10.0.0.1',
      'x-forwarded-proto: https',
      'x-forwarded-host: public.example.com',
    ]);
  });

  it('is replaced by what is known when it is not', () => {
    expect(lines(said, CLIENT)).toEqual([
      'x-forwarded-for: 9.9.9.9',
      'x-forwarded-proto: http',
      'x-forwarded-host: shop',
    ]);
  });

  it('cannot be taken away by Connection', () => {
    const raw = [
      'Connection',
      'close, X-Forwarded-For, content-type',
      'Content-Type',
      'text/plain',
    ];
    expect(lines(raw, CLIENT)).toContain('x-forwarded-for: 9.9.9.9');
    expect(lines(raw, CLIENT)).toContain('Content-Type: text/plain');
  });
});

describe('a trusted proxy', () => {
  const isTrusted = trustedProxies(['10.0.0.0/8', '192.168.7.7', '2001:db8::/32']);

  it.each([
    ['10.1.2.3', true],
    ['11.1.2.3', false],
    ['192.168.7.7', true],
    ['192.168.7.8', false],
    ['2001:db8::1', true],
    ['2001:db9::1', false],
    ['unknown', false],
  ])('%s is one: %s', (address, expected) => {
    expect(isTrusted(address)).toBe(expected);
  });

  it('is nobody unless that was said', () => {
    expect(trustedProxies([])('127.0.0.1')).toBe(false);
  });
});
