import { describe, expect, it } from '@jest/globals';
import { readGatewayOptions } from '../../lib/gateway/gateway.options.js';

describe('the options of the gateway', () => {
  it.each<[object, string]>([
    [{ rotues: [] }, 'gateway.rotues is not an option. Did you mean "routes"?'],
    [{ routes: [{ path: 'api', to: 'orders' }] }, "gateway.routes[0].path is 'api'."],
    [{ trustedProxies: ['10.0.0.0/99'] }, "gateway.trustedProxies[0] is '10.0.0.0/99'."],
    [{ limits: { body: -1 } }, 'gateway.limits.body is -1.'],
    [
      { discovery: { claims: { a: ['/x'], b: ['/y', '/x'] } } },
      "gateway.discovery.claims.b has '/x' as gateway.discovery.claims.a has. Keep one of them.",
    ],
  ])('refuse %j', (options, sentence) => {
    expect(() => readGatewayOptions(options, 'gateway')).toThrow(sentence);
  });

  it('let one service claim a path twice', () => {
    const { discovery } = readGatewayOptions(
      { discovery: { claims: { a: ['/x', '/x'] } } },
      'gateway',
    );
    expect(discovery.claims).toEqual({ a: ['/x', '/x'] });
  });
});
