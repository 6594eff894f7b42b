import type { Shop } from './shop.js';

/** Does what a person types while the shop runs. */
export async function obey(shop: Shop, line: string, tell: (line: string) => void): Promise<void> {
  const [verb = '', name = ''] = line.trim().split(/\s+/);
  try {
    if (verb !== '') tell(await run(shop, verb, name));
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
  }
}

async function run(shop: Shop, verb: string, name: string): Promise<string> {
  const target = name === 'consul' ? shop.agent : undefined;
  switch (verb) {
    case 'list':
      return shop
        .all()
        .map((each) => `${each.name}  ${each.pid ?? 'stopped'}`)
        .join('\n');
    case 'start':
      await (target ?? shop.get(name)).start();
      return `${name} starts`;
    case 'stop':
      await (target ? target.stop() : shop.get(name).end('SIGTERM'));
      return `${name} has left`;
    case 'kill':
      await (target ? target.kill() : shop.get(name).end('SIGKILL'));
      return `${name} was killed`;
    default:
      return 'Type: list, start NAME, stop NAME, kill NAME. Ctrl-C closes the shop.';
  }
}
