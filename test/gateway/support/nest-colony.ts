import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { type INestApplication, Module, type ModuleMetadata, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { memory, MemoryHub } from '../../../lib/discovery/backends/memory.backend.js';
import { DiscoveryModule } from '../../../lib/discovery/discovery.module.js';
import { GatewayModule } from '../../../lib/gateway/gateway.module.js';
import type { GatewayOptions } from '../../../lib/gateway/gateway.options.js';
import { UpstreamModule } from '../../../lib/upstream/upstream.module.js';
import type { UpstreamModuleOptions } from '../../../lib/upstream/upstream.options.js';

export const ADAPTERS = ['express', 'fastify'] as const;
/** Every way that a plain request can take through a gateway. */
export const WAYS = ADAPTERS.flatMap((adapter) => [
  { adapter, fastLane: true, way: 'its fast lane' },
  { adapter, fastLane: false, way: "Node's own parser" },
]);
type AdapterName = (typeof ADAPTERS)[number];

export interface StartedApp {
  readonly app: INestApplication;
  readonly port: number;
  readonly url: string;
}

export interface StartOptions {
  readonly controllers?: readonly Type[];
  readonly version?: string;
  readonly providers?: NonNullable<ModuleMetadata['providers']>;
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  readonly adapter?: AdapterName;
  /** Makes the application a gateway. */
  readonly gateway?: GatewayOptions;
  readonly upstream?: UpstreamModuleOptions;
  /** Makes it speak https. */
  readonly https?: {
    readonly cert: string;
    readonly key: string;
    readonly ca?: string;
    readonly requestCert?: boolean;
    readonly rejectUnauthorized?: boolean;
  };
  readonly prepare?: (app: INestApplication) => unknown;
}

/** Several Nest applications that share a registry in this process. */
export class NestColony {
  readonly hub = new MemoryHub();
  private readonly apps = new Set<INestApplication>();

  async start(name: string, options: StartOptions = {}): Promise<StartedApp> {
    const {
      controllers = [],
      providers = [],
      imports = [],
      adapter = 'express',
      gateway,
      upstream,
      https,
      prepare,
    } = options;
    @Module({
      imports: [
        DiscoveryModule.forRoot({
          name,
          backend: memory(this.hub),
          drain: { delay: 0 },
          ...(options.version && { version: options.version }),
        }),
        UpstreamModule.forRoot(upstream),
        ...imports,
        ...(gateway ? [GatewayModule.forRoot(gateway)] : []),
      ],
      controllers: [...controllers],
      providers,
    })
    class App {}
    const http =
      adapter === 'express' ? new ExpressAdapter() : new FastifyAdapter(https ? { https } : {});
    const httpsOptions = https && { httpsOptions: https };
    const app = await NestFactory.create(App, http, {
      logger: false,
      abortOnError: false,
      ...httpsOptions,
    });
    this.apps.add(app);
    await prepare?.(app);
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    return { app, port, url: `http://127.0.0.1:${port}` };
  }

  async stop({ app }: StartedApp): Promise<void> {
    this.apps.delete(app);
    await app.close();
  }

  async close(): Promise<void> {
    const apps = [...this.apps].toReversed();
    this.apps.clear();
    await Promise.all(apps.map((app) => app.close()));
  }
}
