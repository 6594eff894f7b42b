import { describe, expect, it } from '@jest/globals';
import { carriedBy, carry, isPacket } from '../../lib/messaging/packet-context.js';

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

function nested(depth: number): unknown {
  let pattern: unknown = 'x';
  for (let n = 0; n < depth; n++) pattern = { a: pattern };
  return pattern;
}

describe('carry', () => {
  it("adds the request's ids, and leaves a hook's own metadata alone", () => {
    const packet = { pattern: 'x', data: 1, metadata: { tenant: 't', traceparent: 'own' } };
    expect(carry(packet, { traceparent, 'x-correlation-id': 'c' }).metadata).toEqual({
      tenant: 't',
      traceparent: 'own',
      'x-correlation-id': 'c',
    });
  });

  it('adds nothing outside of a request', () => {
    expect(carry({ pattern: 'x', data: 1 }, {})).toEqual({ pattern: 'x', data: 1 });
  });
});

describe('carriedBy', () => {
  it('reads what travels along, and nothing else', () => {
    const metadata = { traceparent, 'x-correlation-id': 'c', authorization: 's3cret' };
    expect(carriedBy({ metadata })).toEqual({ traceparent, 'x-correlation-id': 'c' });
  });

  it.each([
    undefined,
    null,
    'text',
    7,
    [],
    { traceparent: 7 },
    { traceparent: { a: 1 } },
    { tracestate: 'a=1\r\nset-cookie: x' },
    { tracestate: 'x'.repeat(8_193) },
    JSON.parse('{"__proto__":{"traceparent":"x"}}'),
  ])('reads nothing from %j', (metadata: unknown) => {
    expect(carriedBy({ metadata })).toEqual({});
  });
});

describe('isPacket', () => {
  it.each(['x', 7, { cmd: 'sum' }, nested(7), ['a', 'b']])('takes the pattern %j', (pattern) => {
    expect(isPacket({ pattern, data: 1 })).toBe(true);
  });

  it.each([
    null,
    undefined,
    7,
    'text',
    [],
    {},
    { pattern: null },
    { pattern: true },
    { pattern: 'x'.repeat(1_025) },
    { pattern: nested(9) },
    { pattern: nested(50_000) },
    { pattern: Array.from({ length: 65 }, () => 1) },
    Object.create({ pattern: 'inherited' }),
  ])('refuses what is none', (value: unknown) => {
    expect(isPacket(value)).toBe(false);
  });
});
