import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { Operators } from '../../lib/common/operators.js';

function from(remoteAddress: string | undefined, headers: Record<string, string> = {}) {
  const all = { host: 'localhost:3000', ...headers };
  return { socket: { remoteAddress }, headers: all } as unknown as IncomingMessage;
}

const bearing = (token: string) => ({ authorization: `Bearer ${token}` });

describe('the operators', () => {
  const operators = new Operators();

  it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])(
    'include a caller on this machine, at %s',
    (address) => expect(operators.includes(from(address))).toBe(true),
  );

  it.each(['10.0.0.7', '::ffff:10.0.0.7', 'fe80::1', '1270.0.0.1', undefined])(
    'include no caller at %s',
    (address) => expect(operators.includes(from(address))).toBe(false),
  );

  it.each(['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'x-forwarded-host'])(
    'take a local caller with %s for a proxy',
    (name) => expect(operators.includes(from('127.0.0.1', { [name]: 'x' }))).toBe(false),
  );

  it.each([
    [{ host: 'rebound.example:3000' }, false],
    [{ host: '127.0.0.1' }, true],
    [{ host: '[::1]:3000' }, true],
    [{ origin: 'http://evil.example' }, false],
    [{ origin: 'null' }, false],
    [{ origin: 'http://localhost:3000' }, true],
  ])('judge a local caller with %j as %s', (headers, expected) => {
    expect(operators.includes(from('127.0.0.1', headers))).toBe(expected);
  });

  it('include whoever brings the token, and nobody with another one', () => {
    const guarded = new Operators();
    guarded.admit('open-sesame');
    expect(guarded.includes(from('10.0.0.7', bearing('open-sesame')))).toBe(true);
    expect(guarded.includes(from('10.0.0.7', bearing('open-sesam')))).toBe(false);
    expect(guarded.includes(from('127.0.0.1', bearing('wrong')))).toBe(false);
    expect(guarded.includes(from('127.0.0.1'))).toBe(true);
    guarded.refuseLocal();
    expect(guarded.includes(from('127.0.0.1'))).toBe(false);
    expect(guarded.includes(from('127.0.0.1', bearing('open-sesame')))).toBe(true);
  });
});
