import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { dns, type DnsOptions } from '../../../lib/discovery/backends/dns.backend.js';
import { eventually } from '../../support/eventually.js';
import { makeContext, readFirst } from './support/backend-fixtures.js';
import { DnsServer } from './support/dns-server.js';
import { follow } from './support/follow.js';

const srv = (target: string, priority: number, weight: number) =>
  ({ type: 'SRV', target, port: 4_000, priority, weight }) as const;

describe('dns', () => {
  let server: DnsServer;
  let address = '';
  const lives: { close(): void }[] = [];

  beforeEach(async () => {
    server = new DnsServer();
    address = await server.listen();
  });
  afterEach(async () => {
    for (const live of lives) live.close();
    await server.close();
  });

  const make = (options: Partial<DnsOptions> = {}) =>
    dns({ name: '{service}.shop.test', every: '100ms', servers: [address], ...options })(
      makeContext(),
    );

  it('finds the addresses of A records, and follows them', async () => {
    server.zone.set('orders.shop.test', [
      { type: 'A', address: '10.0.0.8' },
      { type: 'A', address: '10.0.0.7' },
    ]);
    const live = follow(make({ records: 'A', port: 3_000 }), 'orders');
    lives.push(live);
    await eventually(() =>
      expect(live.current.map(({ host, port }) => `${host}:${port}`)).toEqual([
        '10.0.0.7:3000',
        '10.0.0.8:3000',
      ]),
    );
    server.zone.set('orders.shop.test', [{ type: 'A', address: '10.0.0.9' }]);
    await eventually(() => expect(live.current.map(({ host }) => host)).toEqual(['10.0.0.9']));
  });

  it('reads ports and weights of SRV records, of the lowest priority only, with the addresses of their targets', async () => {
    server.zone.set('orders.shop.test', [
      srv('a.shop.test', 1, 10),
      srv('b.shop.test', 1, 0),
      srv('spare.shop.test', 2, 10),
      srv('.', 1, 1),
    ]);
    for (const [name, last] of [
      ['a', 1],
      ['b', 2],
      ['spare', 3],
    ] as const) {
      server.zone.set(`${name}.shop.test`, [{ type: 'A', address: `10.0.0.${last}` }]);
    }
    const found = await readFirst(make().source.instances('orders', AbortSignal.timeout(5_000)));
    expect(found.map(({ host, port, weight }) => ({ host, port, weight }))).toEqual([
      { host: '10.0.0.1', port: 4_000, weight: 10 },
      { host: '10.0.0.2', port: 4_000, weight: 0.01 },
    ]);
  });

  it('takes a name that does not exist for a service without instances', async () => {
    const found = await readFirst(make().source.instances('nobody', AbortSignal.timeout(5_000)));
    expect(found).toEqual([]);
  });

  it('throws when the server fails, so that what was known stays', async () => {
    server.zone.set('orders.shop.test', [{ type: 'A', address: '10.0.0.7' }]);
    const live = follow(make({ records: 'A', port: 3_000 }), 'orders');
    lives.push(live);
    await live.ready();
    server.code = 2;
    await eventually(() => expect(live.error).toBeInstanceOf(Error));
    expect(String(live.error)).toContain('DNS gives no answer for orders.shop.test');
    expect(live.current).toHaveLength(1);
    server.code = 0;
    await eventually(() => expect(live.error).toBeUndefined());
  });

  it('lists the services it was told of', async () => {
    const { source } = make({ services: ['payments', 'orders'] });
    expect(await readFirst(source.services(new AbortController().signal))).toEqual([
      'orders',
      'payments',
    ]);
  });

  it.each<[Partial<DnsOptions>, string]>([
    [{ name: 'orders.test' }, 'dns.name'],
    [{ records: 'A' }, 'dns.port is missing'],
    [{ servers: ['ns.test'] }, "dns.servers[0] is 'ns.test', no address"],
    [{ services: ['Not A Name'] }, 'dns.services[0]'],
  ])('refuses %j', (options, sentence) => {
    expect(() => make(options)).toThrow(sentence);
  });
});
