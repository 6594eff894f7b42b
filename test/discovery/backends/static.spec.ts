import { describe, expect, it } from '@jest/globals';
import {
  staticInstances,
  type StaticInstances,
} from '../../../lib/discovery/backends/static.backend.js';
import { makeContext, makeInstance } from './support/backend-fixtures.js';

const { signal } = new AbortController();

async function read(services: StaticInstances, service = 'orders') {
  const snapshots = [];
  for await (const each of staticInstances(services)(makeContext()).source.instances(
    service,
    signal,
  )) {
    snapshots.push(each);
  }
  return snapshots;
}

describe('a static list of instances', () => {
  it('yields each service once and ends', async () => {
    expect(await read({ orders: ['http://10.0.0.7:3001', 'https://orders.internal'] })).toEqual([
      [
        makeInstance({ id: 'orders-10.0.0.7-3001', host: '10.0.0.7' }),
        makeInstance({
          id: 'orders-orders.internal-443',
          host: 'orders.internal',
          port: 443,
          scheme: 'https',
        }),
      ],
    ]);
    expect(await read({ orders: [] }, 'unknown')).toEqual([[]]);
  });

  it('takes everything an instance can have', async () => {
    const fields = {
      id: 'one',
      host: '::1',
      port: 9,
      scheme: 'https',
      ports: { tcp: 10 },
      weight: 0,
      zone: 'a',
      version: '2',
      tags: ['t'],
      metadata: { empty: '' },
    } as const;
    expect(await read({ orders: [fields] })).toEqual([[makeInstance(fields)]]);
    expect(await read({ orders: ['http://[::1]:80'] })).toMatchObject([
      [{ host: '::1', port: 80 }],
    ]);
  });

  it('lists its services and has no registry', async () => {
    const backend = staticInstances({ orders: [], till: [] })(makeContext());
    const lists = [];
    for await (const names of backend.source.services(signal)) lists.push(names);
    expect(lists).toEqual([['orders', 'till']]);
    expect(backend.registry).toBeUndefined();
  });

  it('yields nothing to who has given up', async () => {
    const { source } = staticInstances({ orders: [] })(makeContext());
    for await (const each of source.instances('orders', AbortSignal.abort()))
      expect(each).toBe('none');
    for await (const each of source.services(AbortSignal.abort())) expect(each).toBe('none');
  });

  it.each<[string, unknown, string]>([
    ['a service that is no name', { Orders: [] }, 'staticInstances.Orders is no name of a service'],
    [
      'a text that is no URL',
      { orders: ['10.0.0.7:3001'] },
      "staticInstances.orders[0] is '10.0.0.7:3001', no URL",
    ],
    ['another protocol', { orders: ['ftp://x'] }, "staticInstances.orders[0] is 'ftp://x', no URL"],
    [
      'a path',
      { orders: ['http://x/api'] },
      "which is more than an address. Write it like 'http://x'.",
    ],
    ['a missing port', { orders: [{ host: 'x' }] }, 'staticInstances.orders[0].port is missing'],
    [
      'a port out of range',
      { orders: [{ host: 'x', port: 0 }] },
      'staticInstances.orders[0].port is 0',
    ],
    ['an unknown field', { orders: [{ host: 'x', prt: 1 }] }, 'Did you mean "port"?'],
    [
      'an instance twice',
      { orders: ['http://x', 'http://x:80'] },
      "is 'orders-x-80' a second time",
    ],
    ['a single instance instead of a list', { orders: 'http://x' }, 'not a list'],
  ])('refuses %s', (_, services, sentence) => {
    expect(() => staticInstances(services as StaticInstances)).toThrow(sentence);
  });

  it('does not repeat a password', () => {
    expect(() => staticInstances({ orders: ['http://me:secret@x'] })).toThrow(
      'staticInstances.orders[0] carries a user or a password. Leave them out of the address.',
    );
  });
});
