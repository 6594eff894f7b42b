import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type CheckIndex, CheckScan } from '../../lib/discovery/backends/consul-check-scan.js';

interface Check {
  readonly service: string;
  readonly index: number;
  readonly output: string;
}

const answerOf = (checks: readonly Check[], space?: number) =>
  JSON.stringify(
    checks.map(({ service, index, output }) => ({
      Node: 'n1',
      CheckID: 'heartbeat',
      Status: 'passing',
      Output: output,
      ServiceID: `${service}-1`,
      ServiceName: service,
      ServiceTags: ['blue'],
      Definition: {},
      CreateIndex: 1_000 + index,
      ModifyIndex: index,
    })),
    undefined,
    space,
  );

function scan(text: string, pieces: readonly number[] = [], index: CheckIndex = 'ModifyIndex') {
  const bytes = Buffer.from(text);
  const scan = new CheckScan(index);
  let from = 0;
  for (const size of pieces) {
    scan.read(bytes.subarray(from, from + size));
    from += size;
  }
  scan.read(bytes.subarray(from));
  return Object.fromEntries(scan.found());
}

describe('CheckScan', () => {
  it('counts the checks of each service and sums their indexes', () => {
    const checks = [
      { service: 'orders', index: 7, output: '' },
      { service: 'stock', index: 30, output: '' },
      { service: 'orders', index: 12, output: '' },
    ];
    expect(scan(answerOf(checks))).toEqual({ orders: '2/19', stock: '1/30' });
    expect(scan(answerOf(checks, 4))).toEqual({ orders: '2/19', stock: '1/30' });
    expect(scan('[]')).toEqual({});
  });

  it('is not misled by what a check put out', () => {
    const output = '"ServiceName":"evil","ModifyIndex":999,\\"ServiceName\\":"worse"';
    expect(scan(answerOf([{ service: 'orders', index: 7, output }]))).toEqual({ orders: '1/7' });
  });

  it('can sum the indexes of their creation instead', () => {
    const checks = [
      { service: 'orders', index: 7, output: '' },
      { service: 'orders', index: 12, output: '' },
    ];
    expect(scan(answerOf(checks), [], 'CreateIndex')).toEqual({ orders: '2/2019' });
  });

  it('has the checks of nodes, which name no service, under no name', () => {
    const checks = [
      { service: '', index: 5, output: '' },
      { service: 'orders', index: 7, output: '' },
    ];
    expect(scan(answerOf(checks))).toEqual({ '': '1/5', orders: '1/7' });
  });

  it('reads the same however an answer is cut', () => {
    const check = fc.record({
      service: fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/),
      index: fc.integer({ min: 1, max: 1e9 }),
      output: fc.string(),
    });
    fc.assert(
      fc.property(
        fc.array(check, { maxLength: 20 }),
        fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 60 }),
        (checks, pieces) => {
          expect(scan(answerOf(checks), pieces)).toEqual(scan(answerOf(checks)));
        },
      ),
    );
  });

  it('reads pieces of any length', () => {
    const checks = Array.from({ length: 2_000 }, (_, n) => ({
      service: `svc-${n % 10}`,
      index: n,
      output: 'x'.repeat(200),
    }));
    const found = scan(answerOf(checks), [10, 300_000, 1]);
    const sums = Object.values(found).map((print) => Number(print.split('/')[1]));
    expect(Object.keys(found)).toHaveLength(10);
    expect(sums.reduce((a, b) => a + b)).toBe((2_000 * 1_999) / 2);
  });
});
