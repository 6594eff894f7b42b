import { describe, expect, it } from '@jest/globals';
import { CheckPrint, FailingChecks, keyOf } from '../../../lib/discovery/backends/consul-checks.js';
import {
  improvesEntries,
  judgeEntries,
  readHealthEntries,
  readPrint,
  readServiceNames,
  toRegistration,
} from '../../../lib/discovery/backends/consul-mapping.js';
import { makeInstance } from './support/backend-fixtures.js';

function entry(service: object, checks: object[] = [], node = 'n1') {
  return {
    Node: { Node: node, Address: '10.0.0.1' },
    Service: { ID: 'orders-1', Port: 3_001, ...service },
    Checks: checks,
  };
}

const read = (...entries: unknown[]) =>
  readHealthEntries('orders', entries).map(({ instance }) => instance);
const statusOf = (...checks: object[]) => read(entry({}, checks))[0]?.status;

describe('what Consul knows of an instance', () => {
  it('reads a bare registration sensibly', () => {
    expect(read(entry({ Address: '' }))).toEqual([
      makeInstance({ host: '10.0.0.1', metadata: {}, tags: [] }),
    ]);
  });

  it('leaves out what cannot be called, and what is no entry', () => {
    const portless = entry({ Port: 0 });
    const nameless = entry({ ID: '' });
    expect(read(portless, nameless, null, 7, 'x', {}, [], { Service: 7, Node: [] })).toEqual([]);
  });

  it('gives the second of two instances with one id the name of its node', () => {
    const ids = read(entry({}, [], 'n1'), entry({}, [], 'n2')).map(({ id }) => id);
    expect(ids).toEqual(['orders-1', 'orders-1@n2']);
  });

  it('lets the worst check decide', () => {
    expect(statusOf()).toBe('up');
    expect(statusOf({ Status: 'passing' }, { Status: 'warning' })).toBe('degraded');
    expect(statusOf({ Status: 'critical' }, { Status: 'warning' })).toBe('down');
  });

  it('takes maintenance of the service or the node for draining', () => {
    expect(statusOf({ CheckID: '_node_maintenance', Status: 'critical' })).toBe('draining');
    expect(
      statusOf(
        { CheckID: '_service_maintenance:orders-1', Status: 'critical' },
        { Status: 'critical' },
      ),
    ).toBe('draining');
  });

  it('tells an instance that drains from one that died while it drained', () => {
    const check = { CheckID: 'service:orders-1', Status: 'critical' };
    expect(statusOf({ ...check, Output: 'draining' })).toBe('draining');
    expect(statusOf({ ...check, Output: '', Notes: 'draining' })).toBe('draining');
    const expired = 'TTL expired (last output before timeout follows): draining';
    expect(statusOf({ ...check, Output: expired, Notes: 'draining' })).toBe('down');
    expect(statusOf({ CheckID: 'other', Status: 'critical', Output: 'draining' })).toBe('down');
  });

  it('does not take hostile meta for more than text', () => {
    const meta = JSON.parse(
      '{"__proto__":"x","port-a":"99999","port-b":"nine","weight":"-1","zone":7}',
    ) as object;
    const [instance] = read(entry({ Meta: meta, Weights: { Passing: 4 } }));
    expect(instance).toMatchObject({ weight: 4, ports: {} });
    expect(instance).not.toHaveProperty('zone');
    expect(Object.keys(instance?.metadata ?? {})).toEqual(['__proto__', 'port-a', 'port-b']);
    expect(Object.getPrototypeOf(instance?.metadata)).toBe(Object.prototype);
  });

  it('refuses answers that are something else', () => {
    expect(() => readHealthEntries('orders', {})).toThrow('a list of instances');
    expect(() => readServiceNames([])).toThrow('the names of services');
    expect(readServiceNames({ b: [], consul: [], a: [] })).toEqual(['a', 'b']);
  });

  it('writes weights Consul can take', () => {
    const terms = {
      name: 'orders',
      ttl: 15_000,
      deregisterCriticalAfter: 60_000,
      probe: undefined,
      localAgent: false,
    };
    const write = (weight: number) => toRegistration(makeInstance({ weight }), terms);
    expect(write(3)).toMatchObject({ Weights: { Passing: 3 }, Meta: { scheme: 'http' } });
    expect(write(0)).toMatchObject({ Weights: { Passing: 1 }, Meta: { weight: '0' } });
    expect(write(2.5)).toMatchObject({ Weights: { Passing: 3 }, Meta: { weight: '2.5' } });
  });

  it('leaves a loopback address to an agent on the same machine, which knows a better one', () => {
    const terms = {
      name: 'orders',
      ttl: 15_000,
      deregisterCriticalAfter: 60_000,
      probe: undefined,
    };
    const write = (host: string, localAgent: boolean) =>
      toRegistration(makeInstance({ host }), { ...terms, localAgent });
    expect(write('127.0.0.1', true)).not.toHaveProperty('Address');
    expect(write('127.0.0.1', false)).toMatchObject({ Address: '127.0.0.1' });
    expect(write('10.0.0.7', true)).toMatchObject({ Address: '10.0.0.7' });
  });

  it('probes an instance at an IPv6 address', () => {
    const registration = toRegistration(makeInstance({ host: '::1' }), {
      name: 'orders',
      ttl: 15_000,
      deregisterCriticalAfter: 60_000,
      probe: { http: '/health', interval: 10_000, timeout: 5_000 },
      localAgent: false,
    });
    expect(registration).toMatchObject({
      Checks: [{ Name: 'heartbeat' }, { HTTP: 'http://[::1]:3001/health', Interval: '10000ms' }],
    });
  });
});

describe('judgeEntries', () => {
  const entries = readHealthEntries('orders', [
    entry({ ID: 'one', Service: 'orders' }),
    entry({ ID: 'two', Service: 'orders' }),
  ]);

  it('gives an instance whose checks came to something else that status, and keeps the others', () => {
    const failing = new FailingChecks();
    failing.note({ service: 'orders', key: keyOf('n1', 'two'), status: 'down' });
    const judged = judgeEntries(entries, failing);
    expect(judged.map(({ instance: { id, status } }) => [id, status])).toEqual([
      ['one', 'up'],
      ['two', 'down'],
    ]);
    expect(judged[0]).toBe(entries[0]);
    expect(judgeEntries(judged, new FailingChecks())).toEqual(entries);
  });

  it('gives the same list where nothing differs', () => {
    expect(judgeEntries(entries, new FailingChecks())).toBe(entries);
  });
});

describe('improvesEntries', () => {
  it.each([
    ['critical', 'up', true],
    ['critical', 'degraded', true],
    ['critical', 'down', false],
    ['warning', 'down', false],
    ['passing', 'up', false],
  ] as const)(
    'tells of an instance read as %s whether that fails no more where it is %s',
    (Status, status, expected) => {
      const entries = readHealthEntries('orders', [entry({ Service: 'orders' }, [{ Status }])]);
      const failing = new FailingChecks();
      if (status !== 'up')
        failing.note({ service: 'orders', key: keyOf('n1', 'orders-1'), status });
      expect(improvesEntries(entries, failing)).toBe(expected);
    },
  );
});

describe('readPrint', () => {
  it('has the checks of the instances, also of those that cannot be called, and not those of their nodes', () => {
    const [first, second] = [7, 9].map((CreateIndex) => ({ ServiceName: 'Orders', CreateIndex }));
    const ofNode = { ServiceName: '', CreateIndex: 100 };
    const print = new CheckPrint();
    print.note(7);
    print.note(9);
    expect(readPrint([entry({}, [first!, ofNode]), entry({ Port: 0 }, [second!, ofNode])])).toBe(
      print.text,
    );
    expect(readPrint([entry({}, [ofNode])])).toBe('');
    expect(readPrint([null, 7, {}, { Checks: 'x' }, { Checks: [null] }])).toBe('');
  });
});
