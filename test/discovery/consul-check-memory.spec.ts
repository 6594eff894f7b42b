import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { CheckMemory } from '../../lib/discovery/backends/consul-check-memory.js';
import { type CheckBytes, CheckScan } from '../../lib/discovery/backends/consul-check-scan.js';

interface Check {
  readonly service: string;
  readonly output: string;
}

const check = (service: string, output = ''): Check => ({ service, output });
const checks = (count: number, output = '') =>
  Array.from({ length: count }, (_, n) => check(`svc-${n}`, output));

const readCheck = (bytes: CheckBytes): Check => ({
  service: bytes.text('ServiceName'),
  output: bytes.text('Output'),
});

/** Reads lists one after the other. */
function makeReader() {
  const memory = new CheckMemory(readCheck);
  return (list: readonly Check[]): readonly Check[] => {
    const found: Check[] = [];
    const scan = new CheckScan((bytes) => found.push(memory.read(bytes)));
    memory.restart();
    scan.read(
      Buffer.from(
        JSON.stringify(
          list.map(({ service, output }) => ({
            Output: output,
            ServiceName: service,
            ModifyIndex: 1,
          })),
        ),
      ),
    );
    scan.end();
    return found;
  };
}

/** How many of a list are objects of the list before. */
const shared = (before: readonly Check[], now: readonly Check[]) =>
  now.filter((each) => before.includes(each)).length;

describe('CheckMemory', () => {
  it('gives the same object for a check whose bytes are the same', () => {
    const read = makeReader();
    const before = read(checks(100));
    expect(before).toEqual(checks(100));
    const now = read(checks(100));
    expect(now).toEqual(checks(100));
    expect(shared(before, now)).toBe(100);
  });

  it('reads anew only what came or changed', () => {
    const read = makeReader();
    const before = read(checks(100));
    const next = checks(100);
    next[7] = check('svc-7', 'refused');
    next.splice(50, 0, check('new'));
    next.splice(70, 10);
    const now = read(next);
    expect(now).toEqual(next);
    expect(shared(before, now)).toBe(89);
    expect(shared(now, read(next))).toBe(91);
  });

  it('reads the rest anew where many in a row are gone, and knows it the next time', () => {
    const read = makeReader();
    read(checks(100));
    const next = checks(100).slice(60);
    const now = read(next);
    expect(now).toEqual(next);
    expect(shared(now, read(next))).toBe(40);
  });

  it('reads what is beyond its room anew each time', () => {
    const read = makeReader();
    const large = checks(60, 'x'.repeat(100_000));
    const before = read(large);
    const now = read(large);
    expect(now).toEqual(large);
    const same = shared(before, now);
    expect(same).toBeGreaterThan(30);
    expect(same).toBeLessThan(45);
  });

  it('reads what a reader without memory would', () => {
    const one = fc.record({
      service: fc.constantFrom('a', 'b', 'orders', 'orders-2'),
      output: fc.constantFrom('', 'up', 'refused', 'größer'),
    });
    fc.assert(
      fc.property(fc.array(fc.array(one, { maxLength: 40 }), { maxLength: 6 }), (lists) => {
        const read = makeReader();
        for (const list of lists) expect(read(list)).toEqual(list);
      }),
    );
  });
});
