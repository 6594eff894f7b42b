import type { CliArguments } from './cli-arguments.js';
import { knownServices } from './known-services.js';
import { observe } from './observer.js';
import type { CliOutput } from './run-cli.js';
import { textTable } from './text-table.js';

/** Lists every service with how many instances it has, and how many take traffic. */
export async function services(given: CliArguments, output: CliOutput): Promise<number> {
  const views = await observe(given, (app) => knownServices(app, given));
  const rows = views.map(({ service, all, instances }) => {
    const versions = [...new Set(all.map(({ version }) => version ?? ''))].filter(Boolean);
    return { service, available: instances.length, instances: all.length, versions };
  });
  if (given.json) output.line(JSON.stringify(rows, null, 2));
  else if (rows.length === 0) output.line('There are no services.');
  else {
    const lines = rows.map((row) => [
      row.service,
      `${row.available} of ${row.instances}`,
      row.versions.join(', '),
    ]);
    output.line(textTable([['SERVICE', 'AVAILABLE', 'VERSIONS'], ...lines]));
  }
  return 0;
}
