import { GatewayRoutes } from '../gateway/gateway-routes.js';
import type { CliArguments } from './cli-arguments.js';
import { knownRoutes } from './known-routes.js';
import { observe } from './observer.js';
import type { CliOutput } from './run-cli.js';
import { textTable } from './text-table.js';

/** Lists the routes that the services publish, and those that two of them claim. */
export async function routes(given: CliArguments, output: CliOutput): Promise<number> {
  const { list, conflicts, refused } = await observe(given, async (app) => {
    const known = app.get(GatewayRoutes, { strict: false });
    await knownRoutes(app, given);
    return { list: known.list(), conflicts: known.conflicts(), refused: known.refused() };
  });
  if (given.json) output.line(JSON.stringify({ routes: list, conflicts, refused }, null, 2));
  else if (list.length === 0) output.line('No service publishes a route.');
  else {
    const rows = list.map(({ methods, path, to, id }) => [
      methods.length > 0 ? methods.join(',') : 'ALL',
      path,
      to,
      id,
    ]);
    output.line(textTable([['METHOD', 'PATH', 'SERVICE', 'ROUTE'], ...rows]));
  }
  for (const { method, path, service, owner } of conflicts) {
    output.error(`${method} ${path} of "${service}" is not served: "${owner}" has it.`);
  }
  for (const sentence of refused) output.error(sentence);
  return conflicts.length + refused.length > 0 ? 1 : 0;
}
