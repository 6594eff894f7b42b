import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NestColony, type StartedApp, WAYS } from '../support/nest-colony.js';
import { BEYOND_UNDICI } from './beyond-undici.js';
import { TABLES } from './cases/all.mjs';
import { Origin, runCase } from './conformance.mjs';

const ALL = Object.entries(TABLES);

/** Runs every table against a gateway on each adapter, by each way, over one of the transports. */
export function judgeGateways(transport: 'http1' | 'undici'): void {
  describe.each(WAYS)(`a gateway on $adapter, by $way, over ${transport}`, (how) => {
    const { adapter, fastLane } = how;
    const colony = new NestColony();
    const origin = new Origin();
    let gateway: StartedApp;

    beforeAll(async () => {
      const to = `http://127.0.0.1:${await origin.listen()}`;
      gateway = await colony.start('gateway', {
        adapter,
        // Many answers are failures on purpose.
        upstream: { defaults: { circuit: false, outlier: false, transport } },
        gateway: { fastLane, discovery: { enabled: false }, routes: [{ path: '/{*rest}', to }] },
      });
    });
    afterAll(async () => {
      await colony.close();
      await origin.end();
    });

    describe.each(ALL)('%s', (table, rows) => {
      const known = rows.filter(
        ({ name }) => transport === 'http1' || !Object.hasOwn(BEYOND_UNDICI, `${table}: ${name}`),
      );
      it.each(known.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
        expect(await runCase(row, origin, gateway.port)).toEqual([]);
      });
    });
  });
}
