import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { seesDetails } from '../../lib/health/details-visibility.js';

function from(remoteAddress: string | undefined, headers: Record<string, string> = {}) {
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

describe('seesDetails', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])(
    'tells a local caller at %s',
    (address) => expect(seesDetails('local', from(address))).toBe(true),
  );

  it.each(['10.0.0.7', '::ffff:10.0.0.7', 'fe80::1', '1270.0.0.1', undefined])(
    'tells no caller at %s',
    (address) => expect(seesDetails('local', from(address))).toBe(false),
  );

  it.each(['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'x-forwarded-host'])(
    'takes a local caller with %s for a proxy',
    (name) => expect(seesDetails('local', from('127.0.0.1', { [name]: 'x' }))).toBe(false),
  );

  it('tells everybody, or nobody, when told so', () => {
    expect(seesDetails('always', from('10.0.0.7'))).toBe(true);
    expect(seesDetails('never', from('127.0.0.1'))).toBe(false);
  });
});
