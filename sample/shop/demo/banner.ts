import { relative } from 'node:path';
import type { Shop } from './shop.js';

/** What a person sees when the shop is open. */
export function banner(shop: Shop): string {
  const { url } = shop;
  const config = relative('.', `${shop.options.config}/orders.yml`);
  return `
The shop is ready: ${url} (registry: ${shop.options.registry}, configuration: ${shop.configUrl})

Try it in another terminal:
  curl -s ${url}/api/orders                 # served in turn by both instances of orders
  curl -s ${url}/api/orders -H 'content-type: application/json' -d '{"sku":"apple","quantity":2}'
  curl -s ${url}/api/stock                  # inventory reserved it
  curl -s ${url}/api/payments               # payments heard of it, without anybody waiting
  curl -s ${url}/health/orders
  curl -s ${shop.configUrl}/orders/default         # the configuration of orders

Change "banner" in ${config} and ask for /api/orders again.
Follow one request through all services:  grep <the x-correlation-id of an answer> ${shop.logs}/*.log

Processes:
${processes(shop)}
Kill one (kill -9 PID, or type "kill orders-1" here) while you ask; bring it back with "start orders-1", or by hand:
  ${shop.command('orders')}
Type list, start NAME, stop NAME or kill NAME. Ctrl-C closes the shop.`;
}

function processes(shop: Shop): string {
  const rows = shop
    .all()
    .map((each) => `  ${each.name.padEnd(14)} ${String(each.pid).padEnd(8)} ${each.address ?? ''}`);
  if (shop.agent) {
    rows.push(
      `  ${'consul'.padEnd(14)} ${shop.agent.pid ?? ''}   again by hand: ${shop.agent.commandLine().join(' ')}`,
    );
  }
  return rows.join('\n');
}
