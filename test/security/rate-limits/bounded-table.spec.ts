import { describe, expect, it } from '@jest/globals';
import { BoundedTable } from '../../../lib/security/rate-limits/bounded-table.js';

describe('BoundedTable', () => {
  it('never holds more than it may, over a million keys', () => {
    const table = new BoundedTable<number>(1_000);
    let largest = 0;
    for (let at = 0; at < 1_000_000; at++) {
      table.set(`k${at}`, at);
      largest = Math.max(largest, table.size);
    }
    expect(largest).toBeLessThanOrEqual(1_000);
  });

  it('keeps what is used', () => {
    const table = new BoundedTable<number>(10);
    table.set('kept', 1);
    for (let at = 0; at < 1_000; at++) {
      table.set(`k${at}`, at);
      expect(table.get('kept')).toBe(1);
    }
  });

  it('forgets what is deleted, wherever it was', () => {
    const table = new BoundedTable<number>(4);
    table.set('a', 1);
    table.set('b', 2);
    table.delete('a');
    expect([table.get('a'), table.get('b')]).toEqual([undefined, 2]);
    table.clear();
    expect(table.size).toBe(0);
  });
});
