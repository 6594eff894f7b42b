import type { Shop } from './shop.js';

const HELP = 'Type: list, start NAME, stop NAME, kill NAME. Ctrl-C closes the shop.';

/** What can be started and ended by its name. */
interface Target {
  readonly pid: number | undefined;
  start(): Promise<void> | void;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

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
  if (verb === 'list') return list(shop);
  if (verb !== 'start' && verb !== 'stop' && verb !== 'kill') return HELP;
  if (name === '') return `Which one? Type "${verb} NAME"; the shop has ${names(shop).join(', ')}.`;
  const target = find(shop, name);
  const runs = target.pid !== undefined;
  if (verb === 'start') {
    if (runs) return `${name} runs already.`;
    await target.start();
    return `${name} starts`;
  }
  if (!runs) return `${name} does not run. Type "start ${name}" to bring it back.`;
  await target[verb]();
  return verb === 'stop' ? `${name} has left` : `${name} was killed`;
}

function list(shop: Shop): string {
  const rows = shop.all().map(({ name, pid, address }) => ({ name, pid, address }));
  const { agent } = shop;
  if (agent) rows.push({ name: 'consul', pid: agent.pid, address: `http://${agent.address}` });
  return rows
    .map(({ name, pid, address = '' }) =>
      pid === undefined
        ? `${name.padEnd(14)} stopped`
        : `${name.padEnd(14)} ${String(pid).padEnd(8)} ${address}`,
    )
    .join('\n');
}

function names(shop: Shop): readonly string[] {
  return [...shop.all().map((each) => each.name), ...(shop.agent ? ['consul'] : [])];
}

function find(shop: Shop, name: string): Target {
  if (name === 'consul' && shop.agent) return shop.agent;
  const found = shop.all().find((each) => each.name === name);
  if (!found) throw new Error(`The shop has no "${name}". It has ${names(shop).join(', ')}.`);
  return {
    pid: found.pid,
    start: () => found.start(),
    stop: () => found.end('SIGTERM'),
    kill: () => found.end('SIGKILL'),
  };
}
