import { describe, expect, it } from '@jest/globals';
import { readMessagingOptions } from '../../lib/messaging/messaging.options.js';

describe('the options of messaging', () => {
  it('have their defaults', () => {
    expect(readMessagingOptions(undefined, {})).toEqual({
      timeout: 5_000,
      connectTimeout: 1_000,
      services: {},
      server: { host: undefined, port: 0, maxMessage: 4_194_304 },
    });
  });

  it('listen where HTTP does, unless they name another address', () => {
    const env = { HOST: '127.0.0.1' };
    expect(readMessagingOptions({}, env).server.host).toBe('127.0.0.1');
    expect(readMessagingOptions({ server: { host: '::1' } }, env).server.host).toBe('::1');
    expect(readMessagingOptions({}, { HOST: '' }).server.host).toBeUndefined();
  });

  it.each([
    [{ timeOut: 1 }, 'messaging.timeOut is not an option. Did you mean "timeout"?'],
    [
      { services: { payments: { timeout: 'soon' } } },
      "messaging.services.payments.timeout is 'soon'",
    ],
    [
      { services: { payments: { idempotent: 'x' } } },
      "messaging.services.payments.idempotent is 'x', not a list",
    ],
    [{ server: { port: 70_000 } }, 'messaging.server.port is 70000. Keep it between 0 and 65535.'],
  ])('refuse %j', (options, sentence) => {
    expect(() => readMessagingOptions(options as never)).toThrow(sentence);
  });
});
