import { describe, expect, it } from '@jest/globals';
import { type CheckBytes, CheckScan } from '../../lib/discovery/backends/consul-check-scan.js';
import {
  FailingChecks,
  keyOf,
  readFailingCheck,
  RegisteredChecks,
} from '../../lib/discovery/backends/consul-checks.js';

const check = (fields: Record<string, string | number>) => ({
  Node: 'n1',
  CheckID: 'service:orders-1',
  Status: 'critical',
  Notes: '',
  Output: '',
  ServiceID: 'orders-1',
  ServiceName: 'orders',
  CreateIndex: 1,
  ModifyIndex: 1,
  ...fields,
});

/** A check of the node and all that is on it. */
const ofNode = (fields: Record<string, string>) =>
  check({ ServiceID: '', ServiceName: '', CheckID: 'serfHealth', ...fields });

function scan(checks: readonly object[], onCheck: (check: CheckBytes) => void): void {
  new CheckScan(onCheck).read(Buffer.from(JSON.stringify(checks)));
}

function failing(...checks: readonly object[]) {
  const found = new FailingChecks();
  scan(checks, (each) => found.note(readFailingCheck(each)));
  return found;
}

function registered(...checks: readonly object[]) {
  const found = new RegisteredChecks();
  scan(checks, (each) => found.note(each));
  return found;
}

const printOf = (...checks: readonly object[]) => registered(...checks).print('orders');
const one = { service: 'orders', node: 'n1', key: keyOf('n1', 'orders-1') };

describe('FailingChecks', () => {
  it('takes an instance without a check that fails for one that is up', () => {
    expect(failing().statusOf(one)).toBe('up');
    const elsewhere = failing(check({ ServiceName: 'stock' }), check({ Node: 'n2' }));
    expect(elsewhere.statusOf(one)).toBe('up');
    expect(failing(check({ ServiceID: 'orders-2' })).statusOf(one)).toBe('up');
  });

  it('lets the worst check decide', () => {
    const warning = check({ CheckID: 'disk', Status: 'warning' });
    expect(failing(warning).statusOf(one)).toBe('degraded');
    expect(failing(check({}), warning).statusOf(one)).toBe('down');
    expect(failing(warning, check({})).statusOf(one)).toBe('down');
    const maintained = check({ CheckID: '_service_maintenance:orders-1' });
    expect(failing(maintained, check({})).statusOf(one)).toBe('draining');
  });

  it('tells an instance that drains by what its heartbeat says', () => {
    expect(failing(check({ Output: 'draining' })).statusOf(one)).toBe('draining');
    expect(failing(check({ Notes: 'draining' })).statusOf(one)).toBe('draining');
    const expired = check({ Output: 'TTL expired (…): draining', Notes: 'draining' });
    expect(failing(expired).statusOf(one)).toBe('down');
    expect(failing(check({ CheckID: 'other', Output: 'draining' })).statusOf(one)).toBe('down');
  });

  it('takes what is on a node that fails along', () => {
    expect(failing(ofNode({})).statusOf(one)).toBe('down');
    expect(failing(ofNode({ Node: 'n2' })).statusOf(one)).toBe('up');
    const both = failing(ofNode({}), check({ Status: 'warning' }));
    expect(both.statusOf(one)).toBe('down');
    expect(failing(ofNode({ CheckID: '_node_maintenance' }), check({})).statusOf(one)).toBe(
      'draining',
    );
    const twice = failing(ofNode({ CheckID: '_node_maintenance' }), ofNode({}));
    expect(twice.statusOf(one)).toBe('draining');
  });

  it('finds a service in any case, as Consul does', () => {
    const found = failing(check({ ServiceName: 'Orders' }));
    found.seal(5, undefined);
    expect(found.since('orders')).toBe(5);
    expect(found.statusOf(one)).toBe('down');
    expect(registered(check({ ServiceName: 'Orders' })).print('orders')).toBe(printOf(check({})));
  });

  it('knows since which index no status of a service can have changed', () => {
    const before = failing(check({}));
    before.seal(5, undefined);
    const sinceWhen = (...checks: readonly object[]) => {
      const now = failing(...checks);
      now.seal(9, before);
      return now.since('orders');
    };
    expect(before.since('orders')).toBe(5);
    expect(sinceWhen(check({ ModifyIndex: 9, Output: 'refused' }))).toBe(5);
    expect(sinceWhen(check({}), check({ ServiceName: 'stock' }))).toBe(5);
    for (const changed of [
      [],
      [check({ Status: 'warning' })],
      [check({ ServiceID: 'orders-2' })],
      [check({ Node: 'n2' })],
      [check({}), ofNode({})],
    ])
      expect(sinceWhen(...changed)).toBe(9);
  });

  it('remembers a service that fails no more, until nothing has changed once', () => {
    const [before, healed, later, last] = [failing(check({})), failing(), failing(), failing()];
    before.seal(5, undefined);
    healed.seal(6, before);
    later.seal(7, healed);
    last.seal(8, later);
    expect([before, healed, later, last].map((each) => each.since('orders'))).toEqual([5, 6, 0, 0]);
  });
});

describe('RegisteredChecks', () => {
  it('has the same print for a service as long as it has the same checks', () => {
    const [first, second] = [check({ CreateIndex: 7 }), check({ CreateIndex: 9 })];
    const before = printOf(first, second);
    expect(printOf(second, check({ ServiceName: 'stock' }), { ...first, Status: 'passing' })).toBe(
      before,
    );
    expect(printOf(first)).not.toBe(before);
    expect(printOf(first, check({ CreateIndex: 10 }))).not.toBe(before);
    expect(printOf()).not.toBe(before);
  });
});
