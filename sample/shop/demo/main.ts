import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { banner } from './banner.js';
import { obey } from './commands.js';
import { Shop, type ShopOptions } from './shop.js';
import { smoke } from './smoke.js';

const SHOP = fileURLToPath(new URL('../../../shop', import.meta.url));
const tell = (line: string) => process.stdout.write(`${line}\n`);

/** What the demo is asked for by its environment. */
function readEnvironment(): ShopOptions {
  const registry = process.env['DEMO_REGISTRY'] ?? 'embedded';
  if (registry !== 'embedded' && registry !== 'consul') {
    throw new Error(`DEMO_REGISTRY is '${registry}'. Make it embedded or consul, or leave it out.`);
  }
  const gatewayPort = port('DEMO_GATEWAY_PORT', 8080);
  const configPort = port('DEMO_CONFIG_PORT', 8888);
  if (gatewayPort === configPort) {
    throw new Error(
      `The gateway and the config server cannot both have port ${gatewayPort}. Set DEMO_GATEWAY_PORT or DEMO_CONFIG_PORT to another.`,
    );
  }
  return {
    registry,
    gatewayPort,
    configPort,
    // Two shops of one clone, on ports of their own, keep apart.
    directory: join(SHOP, '.data', `${registry}-${gatewayPort}`),
    config: join(SHOP, 'config'),
    tell,
  };
}

function port(variable: string, fallback: number): number {
  const text = process.env[variable] ?? String(fallback);
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535) {
    throw new Error(`${variable} is '${text}'. Make it a port from 1 to 65535, or leave it out.`);
  }
  return value;
}

/** Checks everything the README promises, in a directory of its own, and leaves nothing behind. */
async function runSmoke(options: ShopOptions): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'rookery-shop-'));
  const config = join(directory, 'config');
  cpSync(options.config, config, { recursive: true });
  const shop = new Shop({ ...options, directory, config });
  onSignal(shop);
  try {
    await shop.start();
    await smoke(shop, tell);
    await shop.stop();
    rmSync(directory, { recursive: true });
  } catch (error) {
    tell(`The logs are in ${shop.logs}.`);
    throw error;
  } finally {
    await shop.stop();
  }
}

/** Runs the shop until Ctrl-C, and does what is typed. */
async function runUntilStopped(options: ShopOptions): Promise<void> {
  const shop = new Shop(options);
  onSignal(shop);
  try {
    await shop.start();
  } catch (error) {
    await shop.stop();
    throw error;
  }
  tell(banner(shop));
  createInterface({ input: process.stdin }).on('line', (line) => void obey(shop, line, tell));
}

function onSignal(shop: Shop): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      tell('Closing the shop.');
      void shop.stop().finally(() => process.exit());
    });
  }
}

try {
  const options = readEnvironment();
  await (process.env['DEMO_SMOKE'] ? runSmoke(options) : runUntilStopped(options));
} catch (error) {
  for (let reason = error; reason instanceof Error; reason = reason.cause) {
    process.stderr.write(`${reason.message}\n`);
  }
  process.exitCode = 1;
}
