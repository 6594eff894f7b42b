import { mkdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConsulAgent } from './consul-agent.js';
import { assertFree } from './ports.js';
import { ServiceProcess } from './service-process.js';
import { HopelessError, until } from './until.js';

export interface ShopOptions {
  readonly registry: 'embedded' | 'consul';
  readonly gatewayPort: number;
  readonly configPort: number;
  /** Where logs and databases go; those of an earlier run are removed. */
  readonly directory: string;
  /** The files that the config server serves. */
  readonly config: string;
  readonly tell: (line: string) => void;
}

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SERVICES = {
  'orders-1': 'orders',
  'orders-2': 'orders',
  inventory: 'inventory',
  payments: 'payments',
  gateway: 'gateway',
} as const;

/** The whole shop: six services, each in its own process. */
export class Shop {
  readonly agent: ConsulAgent | undefined;
  private readonly processes = new Map<string, ServiceProcess>();

  constructor(readonly options: ShopOptions) {
    this.agent =
      options.registry === 'consul'
        ? new ConsulAgent(join(options.directory, 'logs', 'consul.log'))
        : undefined;
  }

  get url(): string {
    return `http://localhost:${this.options.gatewayPort}`;
  }

  get configUrl(): string {
    return `http://localhost:${this.options.configPort}`;
  }

  /** Starts everything and waits until the gateway serves every service. */
  async start(): Promise<void> {
    await assertFree(this.options.gatewayPort, 'DEMO_GATEWAY_PORT');
    await assertFree(this.options.configPort, 'DEMO_CONFIG_PORT');
    this.clear();
    await this.agent?.start();
    this.add('config-server', 'config-server', {
      PORT: String(this.options.configPort),
      CONFIG_REPOSITORY: this.options.config,
    });
    for (const [name, service] of Object.entries(SERVICES)) {
      const port = service === 'gateway' ? this.options.gatewayPort : 0;
      this.add(name, service, { PORT: String(port), CONFIG_URL: this.configUrl });
    }
    this.get('config-server').start();
    await this.untilAnswers(`${this.configUrl}/orders/default`);
    for (const name of Object.keys(SERVICES)) this.get(name).start();
    await this.untilServing();
  }

  get(name: string): ServiceProcess {
    const found = this.processes.get(name);
    if (!found)
      throw new Error(
        `The shop has no "${name}". It has ${[...this.processes.keys()].join(', ')}.`,
      );
    return found;
  }

  all(): readonly ServiceProcess[] {
    return [...this.processes.values()];
  }

  /** Every route is served, and both instances of orders take their turn. */
  async untilServing(): Promise<void> {
    for (const path of ['/api/stock', '/api/payments']) await this.untilAnswers(this.url + path);
    const seen = new Set<string>();
    await until('both instances of orders answer through the gateway', async () => {
      this.assertAlive();
      const answer = await fetch(`${this.url}/api/orders`, { signal: AbortSignal.timeout(2_000) });
      if (answer.ok) seen.add(((await answer.json()) as { servedBy: string }).servedBy);
      return seen.size === 2;
    });
  }

  /** Where the logs are, as a person here would write it. */
  get logs(): string {
    return join(relative('.', this.options.directory) || '.', 'logs');
  }

  /** The command that starts one more instance of a service by hand. */
  command(service: string): string {
    const env = {
      ...this.registryEnv(),
      CONFIG_URL: this.configUrl,
      HOST: '127.0.0.1',
      PORT: '0',
      SERVICE_NAME: service,
    };
    const words = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    return `(cd ${relative('.', this.options.directory)} && ${words.join(' ')} node ${join(HERE, '..', service, 'main.js')})`;
  }

  /** Asks everyone to leave, the gateway first, and waits until all are gone. */
  async stop(): Promise<void> {
    await Promise.all(this.all().map((each) => each.end('SIGTERM')));
    await this.agent?.stop();
    for (const each of this.all()) each.close();
  }

  /** Only when the ports are ours: what is here may belong to a shop that is open. */
  private clear(): void {
    const { directory } = this.options;
    for (const each of ['data', 'logs'])
      rmSync(join(directory, each), { recursive: true, force: true });
    mkdirSync(join(directory, 'logs'), { recursive: true });
  }

  /** A service that could not start has said why. */
  private assertAlive(): void {
    const failed = this.all().find((each) => each.failed);
    if (failed) throw new HopelessError(`${failed.name} has ended; its log is in ${this.logs}.`);
  }

  private add(name: string, service: string, env: Record<string, string>): void {
    const description = {
      name,
      args: [
        '--import',
        new URL('exit-with-parent.js', import.meta.url).href,
        join(HERE, '..', service, 'main.js'),
      ],
      // A demo is nobody's business but this machine's.
      env: { ...this.registryEnv(), HOST: '127.0.0.1', SERVICE_NAME: service, ...env },
      directory: this.options.directory,
    };
    this.processes.set(name, new ServiceProcess(description, this.options.tell));
  }

  /** The registry's standard variables. */
  private registryEnv(): Record<string, string> {
    if (this.agent) return { CONSUL_HTTP_ADDR: this.agent.address };
    return { DISCOVERY_NAMESPACE: `shop-${this.options.gatewayPort}` };
  }

  private untilAnswers(url: string): Promise<void> {
    return until(`${url} answers`, async () => {
      this.assertAlive();
      const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      await answer.arrayBuffer();
      return answer.ok;
    });
  }
}
