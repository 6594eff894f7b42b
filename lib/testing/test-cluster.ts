import type { INestApplication, Type as NestType } from '@nestjs/common';
import { Clock, SystemClock } from '../common/clock.js';
import { optionalPackage } from '../common/optional-package.js';
import { ServiceIdentity } from '../common/service-identity.js';
import { memory, MemoryHub } from '../discovery/backends/memory.backend.js';
import { DISCOVERY_BACKEND } from '../discovery/discovery-backend.js';
import { DiscoveryClient } from '../discovery/discovery-client.js';
import { DISCOVERY_SETTINGS, type DiscoverySettings } from '../discovery/discovery.options.js';

/** A service of a cluster. */
export interface ClusterService {
  /** Its root module, just as it runs elsewhere. */
  readonly module: NestType;
  /** How many instances of it to start. @default 1 */
  readonly instances?: number;
  /** What to do with each before it listens: pipes, prefixes, microservices. */
  readonly prepare?: (app: INestApplication) => Promise<void> | void;
  /** Providers to replace, by token: a database, a client of a contract. */
  readonly overrides?: ReadonlyMap<unknown, unknown>;
}

/** The services of a cluster by name; a module alone is one instance of it. */
export type ClusterServices = Readonly<Record<string, ClusterService | NestType>>;

/** How long the services may take to find each other, in ms. */
const PATIENCE = 10_000;
const LOOK = 5;

/** Several Nest applications in this process that find each other; made by `createTestCluster`. */
export class TestCluster {
  private readonly hub = new MemoryHub();
  private readonly clock = new SystemClock();
  private readonly running = new Map<string, INestApplication[]>();

  constructor(private readonly services: ClusterServices) {}

  /** The applications of a service, in the order they were started. */
  apps(name: string): readonly INestApplication[] {
    return this.running.get(name) ?? [];
  }

  /** The first application of a service. */
  app(name: string): INestApplication {
    const [first] = this.apps(name);
    if (first) return first;
    throw new Error(
      `No instance of "${name}" runs in this cluster. It has ${Object.keys(this.services).join(', ')}.`,
    );
  }

  /** Where the first application of a service listens: `http://127.0.0.1:40123`. */
  url(name: string): Promise<string> {
    return this.app(name).getUrl();
  }

  /** Starts one more instance of a service, and waits until all others see it. */
  async start(name: string): Promise<INestApplication> {
    const app = await this.launch(name);
    await this.settled();
    return app;
  }

  /** Stops an instance as a deployment does, and waits until no other sees it. */
  async stop(app: INestApplication): Promise<void> {
    for (const [name, apps] of this.running) {
      this.running.set(
        name,
        apps.filter((each) => each !== app),
      );
    }
    await app.close();
    await this.settled();
  }

  /** Stops everything at the same time. */
  async close(): Promise<void> {
    const apps = [...this.running.values()].flat();
    this.running.clear();
    const outcomes = await Promise.allSettled(apps.map((app) => app.close()));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** @internal */
  async startAll(): Promise<this> {
    try {
      for (const [name, service] of Object.entries(this.services)) {
        const count = typeof service === 'function' ? 1 : (service.instances ?? 1);
        for (let n = 0; n < count; n++) await this.launch(name);
      }
      await this.settled();
      return this;
    } catch (error) {
      await this.close().catch(() => undefined);
      throw error;
    }
  }

  private async launch(name: string): Promise<INestApplication> {
    const given = this.services[name];
    if (!given)
      throw new Error(
        `This cluster has no service "${name}". It has ${Object.keys(this.services).join(', ')}.`,
      );
    const service: ClusterService = typeof given === 'function' ? { module: given } : given;
    const { Test } = await optionalPackage(() => import('@nestjs/testing'), {
      name: '@nestjs/testing',
      use: 'createTestCluster builds its applications with @nestjs/testing',
    });
    const builder = Test.createTestingModule({ imports: [service.module] })
      .overrideProvider(DISCOVERY_BACKEND)
      .useFactory({
        inject: [DISCOVERY_SETTINGS, Clock],
        factory: (settings: DiscoverySettings, clock: Clock) => this.backend(settings, clock),
      });
    for (const [token, value] of service.overrides ?? []) {
      builder.overrideProvider(token).useValue(value);
    }
    const module = await builder.compile();
    const app = module.createNestApplication({ logger: false });
    this.running.set(name, [...this.apps(name), app]);
    await service.prepare?.(app);
    await app.listen(0, '127.0.0.1');
    return app;
  }

  private backend({ heartbeat, namespace }: DiscoverySettings, clock: Clock) {
    const { ttl, interval } = heartbeat;
    return memory(this.hub)({ clock, namespace, ttl, heartbeat: interval, warn: () => {} });
  }

  /** Waits until every application sees exactly the instances that run. */
  private async settled(): Promise<void> {
    const apps = [...this.running.values()].flat();
    const wanted = new Map<string, number>();
    for (const app of apps) {
      const { name } = app.get(ServiceIdentity, { strict: false });
      wanted.set(name, (wanted.get(name) ?? 0) + 1);
    }
    const end = this.clock.now() + PATIENCE;
    const lacking = () =>
      apps.flatMap((app) => {
        const discovery = app.get(DiscoveryClient, { strict: false });
        return [...wanted].filter(
          ([name, count]) => discovery.view(name).instances.length !== count,
        );
      });
    while (lacking().length > 0) {
      if (this.clock.now() > end) {
        throw new Error(
          `The services did not find each other: ${lacking()
            .map(([name]) => name)
            .join(', ')}.`,
        );
      }
      await this.clock.sleep(LOOK);
    }
  }
}

/**
 * Starts several services in this process, each a whole Nest application on a free port, with one registry in memory.
 * Their modules are those that run elsewhere; nothing of them has to be written for it. Needs `@nestjs/testing`.
 *
 * @example
 * const cluster = await createTestCluster({ inventory: InventoryModule, orders: { module: OrdersModule, instances: 2 } });
 * const answer = await fetch(`${await cluster.url('orders')}/orders`);
 * await cluster.close();
 */
export function createTestCluster(services: ClusterServices): Promise<TestCluster> {
  return new TestCluster(services).startAll();
}
