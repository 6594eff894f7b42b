import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { dataFields, errorFields } from '../../lib/telemetry/log-fields.js';

describe('dataFields', () => {
  it('keeps plain data as it is', () => {
    const order = { id: 7, lines: [{ sku: 'a', n: 1 }], paid: false, note: null };
    expect(dataFields(order)).toEqual(order);
  });

  it('hides headers and what is secret by its name, wherever it is', () => {
    const text = JSON.stringify(
      dataFields({
        request: { Headers: { accept: 's3cret' }, rawHeaders: ['a', 's3cret'] },
        Authorization: 's3cret',
        list: [{ cookie: 's3cret', password: 's3cret', 'X-Api-Key': 's3cret', token: 's3cret' }],
        map: new Map([['set-cookie', 's3cret']]),
      }),
    );
    expect(text).not.toContain('s3cret');
    expect(text).toContain('[hidden]');
  });

  it('names requests, sockets and bytes instead of writing them', () => {
    const socket = new Socket();
    expect(dataFields({ request: new IncomingMessage(socket), bytes: Buffer.from('abc') })).toEqual(
      {
        request: '[IncomingMessage]',
        bytes: '[3 bytes]',
      },
    );
    socket.destroy();
  });

  it('writes what JSON has no word for', () => {
    expect(
      dataFields({
        big: 10n,
        at: new Date(0),
        never: new Date(Number.NaN),
        set: new Set([1]),
        call: dataFields,
      }),
    ).toEqual({
      big: '10',
      at: '1970-01-01T00:00:00.000Z',
      never: null,
      set: [1],
      call: '[function dataFields]',
    });
  });

  it('ends in circles, depths and lengths', () => {
    const circle: Record<string, unknown> = { wide: Array.from({ length: 1_000 }, (_, n) => n) };
    circle['self'] = circle;
    const text = JSON.stringify(dataFields(circle));
    expect(text.length).toBeLessThan(3_000);
    expect(text).toContain('[Object]');
    expect(dataFields(Object.create(null))).toEqual({});
  });
});

describe('errorFields', () => {
  it('keeps type, message, code, stack and cause, and nothing else', () => {
    const cause = Object.assign(new Error('refused'), {
      code: 'ECONNREFUSED',
      config: { headers: { authorization: 's3cret' } },
    });
    const fields = errorFields(new TypeError('fetch failed', { cause }));
    expect(fields).toMatchObject({
      type: 'TypeError',
      message: 'fetch failed',
      stack: expect.stringContaining('TypeError: fetch failed\n'),
      cause: { type: 'Error', message: 'refused', code: 'ECONNREFUSED' },
    });
    expect(JSON.stringify(fields)).not.toContain('s3cret');
  });

  it('ends when an error is its own cause', () => {
    const error = new Error('loop');
    error.cause = error;
    expect(JSON.stringify(errorFields(error)).match(/"cause"/g)).toHaveLength(5);
  });
});
