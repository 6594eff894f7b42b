import { DiscoveryClient } from '../discovery/discovery-client.js';
import { ServiceWatches } from '../discovery/service-watches.js';
import { type CliArguments, UsageError } from './cli-arguments.js';
import { unanswered } from './known-services.js';
import { observe } from './observer.js';
import type { CliOutput } from './run-cli.js';
import { textTable } from './text-table.js';

/** Lists the instances of a service; those that are not called come with the reason. */
export async function instances(given: CliArguments, output: CliOutput): Promise<number> {
  const [service] = given.words;
  if (service === undefined) throw new UsageError('Whose instances? Write: instances NAME.');
  const { all, refused } = await observe(given, async (app) => {
    const client = app.get(DiscoveryClient, { strict: false });
    const view = await client.ready(service, given.wait as `${number}s`);
    const watch = app.get(ServiceWatches, { strict: false }).get(service);
    if (!watch.answered) throw unanswered(app, given.wait);
    const left = client.refused().filter(({ instance }) => instance.service === service);
    return { all: view.all, refused: left };
  });
  if (given.json) output.line(JSON.stringify({ instances: all, refused }, null, 2));
  else if (all.length + refused.length === 0) output.line(`"${service}" has no instances.`);
  else {
    const head = ['ID', 'ADDRESS', 'STATUS', 'VERSION', 'ZONE', 'PORTS'];
    const rows = all.map(({ id, scheme, host, port, status, version = '', zone = '', ports }) => [
      id,
      `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
      status,
      version,
      zone,
      Object.entries(ports)
        .map(([name, each]) => `${name}=${each}`)
        .join(' '),
    ]);
    output.line(textTable([head, ...rows]));
    for (const { instance, reason } of refused)
      output.line(`${instance.id} is not called: ${reason}`);
  }
  return all.length > 0 ? 0 : 1;
}
