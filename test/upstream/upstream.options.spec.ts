import { describe, expect, it } from '@jest/globals';
import { PeakEwmaStrategy } from '../../lib/load-balancing/strategies/peak-ewma.strategy.js';
import { RandomStrategy } from '../../lib/load-balancing/strategies/random.strategy.js';
import { instanceAt } from '../../lib/upstream/origin.js';
import {
  readUpstreamOptions,
  type UpstreamModuleOptions,
} from '../../lib/upstream/upstream.options.js';

describe('upstream options', () => {
  it('all have defaults', () => {
    const settings = readUpstreamOptions(undefined)('orders');
    expect(settings.strategy()).toBeInstanceOf(PeakEwmaStrategy);
    expect(settings).toMatchObject({
      connections: 256,
      pending: 1_024,
      retry: { budget: 20, attempts: 1, statuses: [502, 503, 504], silence: 1_000 },
      concurrency: { min: 48, max: 4_096, tolerance: 2 },
      hedge: false,
      preferZone: true,
      slowStart: 0,
      timeouts: { connect: 1_000, response: 10_000, idle: 30_000, keepAlive: 4_000 },
      circuit: {
        failureRate: 50,
        minimumCalls: 10,
        window: 10_000,
        openFor: 500,
        halfOpenCalls: 3,
      },
      outlier: { consecutiveFailures: 5, ejection: 10_000, maxEjection: 300_000, maxEjected: 50 },
    });
  });

  it('of a service fill up from the defaults of all', () => {
    const settings = readUpstreamOptions({
      defaults: {
        strategy: 'random',
        timeouts: { connect: '2s', response: '3s' },
        circuit: { openFor: '1s' },
        outlier: false,
      },
      services: {
        payments: {
          timeouts: { response: '30s' },
          circuit: { minimumCalls: 2 },
          outlier: { consecutiveFailures: 1 },
        },
        reports: { circuit: false },
      },
    });
    const payments = settings('payments');
    expect(payments.strategy()).toBeInstanceOf(RandomStrategy);
    expect(payments.timeouts).toMatchObject({ connect: 2_000, response: 30_000 });
    expect(payments.circuit).toMatchObject({ openFor: 1_000, minimumCalls: 2 });
    expect(payments.outlier).toMatchObject({ consecutiveFailures: 1, ejection: 10_000 });
    expect(settings('reports')).toMatchObject({ circuit: false, outlier: false });
    expect(settings('other')).toMatchObject({ outlier: false, timeouts: { response: 3_000 } });
  });

  it('take a strategy of your own', () => {
    const own = new RandomStrategy();
    const settings = readUpstreamOptions({ defaults: { strategy: () => own } });
    expect(settings('orders').strategy()).toBe(own);
  });

  it.each<[string, unknown]>([
    [
      `upstream.defaults.strategy is "fastest". Make it 'peak-ewma' or 'least-request' or 'round-robin' or 'random' or 'sticky'.`,
      { defaults: { strategy: 'fastest' } },
    ],
    [
      'upstream.services.orders.timeouts.conect is not an option. Did you mean "connect"?',
      { services: { orders: { timeouts: { conect: 1 } } } },
    ],
    [
      'upstream.defaults.connections is 0. Keep it between 1 and Infinity.',
      { defaults: { connections: 0 } },
    ],
    [
      'upstream.services.orders.circuit.failureRate is 101. Keep it between 1 and 100.',
      { services: { orders: { circuit: { failureRate: 101 } } } },
    ],
    ['upstream.default is not an option. Did you mean "defaults"?', { default: {} }],
  ])('%s', (sentence, options) => {
    expect(() => readUpstreamOptions(options as UpstreamModuleOptions)).toThrow(sentence);
  });
});

describe('an origin', () => {
  it.each([
    ['http://10.0.0.7:3000', '10.0.0.7', 3000, 'http'],
    ['https://example.com', 'example.com', 443, 'https'],
    ['HTTP://Example.com/', 'example.com', 80, 'http'],
    ['http://[::1]:8080', '::1', 8080, 'http'],
  ])('%s is an instance', (origin, host, port, scheme) => {
    expect(instanceAt(origin)).toMatchObject({ host, port, scheme });
  });

  it.each([
    'orders',
    'orders:3000',
    '//orders:3000',
    'ftp://orders',
    'http://orders/path',
    'http://orders?query',
    'http://orders#part',
    'http://user:word@orders',
    'http://',
    'http://orders:99999',
  ])('%s is none', (origin) => {
    expect(() => instanceAt(origin)).toThrow(/is no origin\. Write it like/);
  });
});
