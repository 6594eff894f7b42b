import { describe, expect, it } from '@jest/globals';
import { readGatewayOptions } from '../../../lib/gateway/gateway.options.js';
import { mergeTimeouts } from '../../../lib/gateway/routes/route-timeouts.js';

describe('the timeouts of a gateway', () => {
  it('have defaults, and leave to others what is theirs', () => {
    expect(readGatewayOptions({}, 'gateway').timeouts).toEqual({
      idle: undefined,
      bodyIdle: 30_000,
      readIdle: 30_000,
      total: 0,
      webSocketIdle: 300_000,
      head: undefined,
      request: undefined,
    });
  });

  it('are those of its routes, but for what a route says itself', () => {
    const common = readGatewayOptions(
      { timeouts: { total: '9s', idle: '5s' } },
      'gateway',
    ).timeouts;
    expect(mergeTimeouts({ bodyIdle: '1s', idle: 0 }, common)).toEqual({
      idle: 0,
      bodyIdle: 1_000,
      readIdle: 30_000,
      total: 9_000,
      webSocketIdle: 300_000,
    });
    expect(mergeTimeouts(undefined, common)).toMatchObject({ idle: 5_000, total: 9_000 });
  });

  it('are refused by their path when they are none', () => {
    expect(() => readGatewayOptions({ timeouts: { bodyIdle: 'soon' } }, 'gateway')).toThrow(
      /gateway\.timeouts\.bodyIdle is 'soon'/,
    );
    const routes = [{ path: '/x', to: 'orders', timeouts: { readidle: '1s' } }];
    expect(() => readGatewayOptions({ routes }, 'gateway')).toThrow(
      /gateway\.routes\[0\]\.timeouts\.readidle is not an option.*readIdle/,
    );
  });
});
