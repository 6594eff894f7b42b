import { GatewayRoutes } from '../gateway/gateway-routes.js';
import { type CliArguments, UsageError } from './cli-arguments.js';
import { knownRoutes } from './known-routes.js';
import { observe } from './observer.js';
import type { CliOutput } from './run-cli.js';

/** Tells which of the published routes a request would take, and why. */
export async function explain(given: CliArguments, output: CliOutput): Promise<number> {
  const [method, url] = given.words;
  if (method === undefined || url === undefined) {
    throw new UsageError('Which request? Write: explain GET /api/orders/7.');
  }
  const explained = await observe(given, async (app) => {
    await knownRoutes(app, given);
    return app.get(GatewayRoutes, { strict: false }).explain({ method: method.toUpperCase(), url });
  });
  if (given.json) output.line(JSON.stringify(explained, null, 2));
  else {
    const { decision, why, route, to, target, shadowed } = explained;
    output.line(decision === 'route' ? `${route ?? ''} → ${to ?? ''} ${target ?? ''}` : decision);
    output.line(why);
    for (const each of shadowed) output.line(`not ${each.id} (${each.path}): ${each.why}`);
    output.line('Routes of the gateway’s own options and filters are known to the gateway only.');
  }
  return explained.decision === 'route' ? 0 : 1;
}
