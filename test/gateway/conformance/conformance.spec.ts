import { describe, expect, it } from '@jest/globals';
import { BEYOND_UNDICI } from './beyond-undici.js';
import { TABLES } from './cases/all.mjs';
import { judgeGateways } from './judged-gateway.js';

const ALL = Object.entries(TABLES);

describe('the tables', () => {
  const names = ALL.flatMap(([table, rows]) => rows.map(({ name }) => `${table}: ${name}`));

  it('have enough cases, each by a name of its own', () => {
    expect(names.length).toBeGreaterThanOrEqual(300);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it('have every case that undici cannot do', () => {
    expect(Object.keys(BEYOND_UNDICI).filter((name) => !names.includes(name))).toEqual([]);
  });
});

judgeGateways('http1');
