import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { CheckScan } from '../../lib/discovery/backends/consul-check-scan.js';

interface Check {
  readonly service: string;
  readonly index: number;
  readonly output: string;
  readonly header?: Record<string, string[]>;
}

const answerOf = (checks: readonly Check[], space?: number) =>
  JSON.stringify(
    checks.map(({ service, index, output, header }) => ({
      Node: 'n1',
      CheckID: 'heartbeat',
      Status: 'passing',
      Notes: '',
      Output: output,
      ServiceID: `${service}-1`,
      ServiceName: service,
      ServiceTags: ['blue'],
      Definition: { ...(header && { Header: header }) },
      CreateIndex: 1_000 + index,
      ModifyIndex: index,
    })),
    undefined,
    space,
  );

/** What a reader of all JSON would see. */
const plain = (checks: readonly Check[]) =>
  checks.map(({ service, index, output }) => ({ service, index, output, node: 'n1' }));

function scan(text: string, pieces: readonly number[] = []) {
  const bytes = Buffer.from(text);
  const found: unknown[] = [];
  const scan = new CheckScan((check) =>
    found.push({
      service: check.text('ServiceName'),
      index: check.number('ModifyIndex'),
      output: check.text('Output'),
      node: check.text('Node'),
    }),
  );
  let from = 0;
  for (const size of pieces) {
    scan.read(bytes.subarray(from, from + size));
    from += size;
  }
  scan.read(bytes.subarray(from));
  scan.end();
  return found;
}

describe('CheckScan', () => {
  it('reads the texts and numbers of each check', () => {
    const checks = [
      { service: 'orders', index: 7, output: '' },
      { service: '', index: 30, output: 'Agent alive and reachable' },
      { service: 'orders', index: 12, output: 'größer "als" \\ 7\n' },
    ];
    expect(scan(answerOf(checks))).toEqual(plain(checks));
    expect(scan(answerOf(checks, 4))).toEqual(plain(checks));
    expect(scan('[]')).toEqual([]);
    expect(scan(' [ ]\n')).toEqual([]);
  });

  it('has nothing for what a check does not tell', () => {
    const found: unknown[] = [];
    const scan = new CheckScan((check) =>
      found.push([check.text('Output'), check.text('CreateIndex'), check.number('CreateIndex')]),
    );
    scan.read(Buffer.from('[{"ServiceName":"a","CreateIndex":null,"ModifyIndex":1}]'));
    expect(found).toEqual([['', '', 0]]);
  });

  it('is not misled by what a check put out', () => {
    const output = '"ServiceName":"evil","ModifyIndex":999,\\"ServiceName\\":"worse"';
    const checks = [
      { service: 'orders', index: 7, output },
      { service: 'stock', index: 8, output: '' },
    ];
    expect(scan(answerOf(checks))).toEqual(plain(checks));
  });

  it('is not misled by the headers a probe sends', () => {
    const header = { ServiceName: ['evil'], ModifyIndex: ['999'], Node: ['n2'] };
    const checks = [
      { service: 'orders', index: 7, output: '', header },
      { service: 'stock', index: 8, output: '' },
    ];
    expect(scan(answerOf(checks))).toEqual(plain(checks));
  });

  it.each(['', '{}', '<html></html>', '[{"Node":"n1"', '{"Node":[]', '[]}'])(
    'takes %j for no list of checks',
    (text) => {
      expect(() => scan(text)).toThrow('is no list of checks');
    },
  );

  it('takes a list that was cut anywhere for none', () => {
    const text = answerOf([
      { service: 'orders', index: 7, output: ']' },
      { service: 'stock', index: 8, output: '' },
    ]);
    expect(text).toContain('"ServiceTags":["blue"]');
    for (let end = 1; end < text.length; end++)
      expect(() => scan(text.slice(0, end))).toThrow('is no list of checks');
  });

  it('refuses a text that is none, and a check without an end', () => {
    const broken = '[{"Output":"a\\q","ServiceName":"a","ModifyIndex":1}]';
    expect(() => scan(broken)).toThrow('has a text that is no JSON. Is there a proxy');
    const piece = 'x'.repeat(1_048_576);
    const endless = new CheckScan(() => {});
    endless.read(Buffer.from('[{"Output":"'));
    expect(() => {
      for (let n = 0; n < 5; n++) endless.read(Buffer.from(piece));
    }).toThrow('has a check of more than 4194304 bytes');
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
          expect(scan(answerOf(checks), pieces)).toEqual(plain(checks));
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
    expect(scan(answerOf(checks), [10, 300_000, 1])).toEqual(plain(checks));
  });
});
