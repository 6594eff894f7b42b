import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NestColony, type StartedApp, WAYS } from '../support/nest-colony.js';
import { TABLES } from './cases/all.mjs';
import { Origin, runCase } from './conformance.mjs';

const ALL = Object.entries(TABLES);

describe('the tables', () => {
  it('have enough cases, each by a name of its own', () => {
    const names = ALL.flatMap(([table, rows]) => rows.map(({ name }) => `${table}: ${name}`));
    expect(names.length).toBeGreaterThanOrEqual(300);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });
});

describe.each(WAYS)('a gateway on $adapter, by $way', ({ adapter, fastLane }) => {
  const colony = new NestColony();
  const origin = new Origin();
  let gateway: StartedApp;

  beforeAll(async () => {
    const to = `http://127.0.0.1:${await origin.listen()}`;
    gateway = await colony.start('gateway', {
      adapter,
      // Many answers are failures on purpose.
      upstream: { defaults: { circuit: false, outlier: false } },
      gateway: { fastLane, discovery: { enabled: false }, routes: [{ path: '/{*rest}', to }] },
    });
  });
  afterAll(async () => {
    await colony.close();
    await origin.end();
  });

  describe.each(ALL)('%s', (_table, rows) => {
    it.each(rows.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
      expect(await runCase(row, origin, gateway.port)).toEqual([]);
    });
  });
});
