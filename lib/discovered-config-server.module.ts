import { Global, Injectable, Module } from '@nestjs/common';
import { ConfigServerLocator } from './config-client/config-server-locator.js';
import { DiscoveryClient } from './discovery/discovery-client.js';
import type { ServiceInstance } from './discovery/service-instance.js';

/** Finds config servers among the registered services, as Spring Cloud Config's discovery-first does. */
@Injectable()
class DiscoveredConfigServer extends ConfigServerLocator {
  constructor(private readonly discovery: DiscoveryClient) {
    super();
  }

  override async locate(service: string): Promise<readonly URL[]> {
    const { instances } = await this.discovery.ready(service, '2s');
    return instances.map(addressOf);
  }
}

/** The metadata is Spring's: `configPath`, `user` and `password`. */
function addressOf({ scheme, host, port, metadata }: ServiceInstance): URL {
  const url = new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`);
  const { configPath = '', user, password } = metadata;
  url.pathname = configPath;
  if (password !== undefined) {
    url.username = user ?? 'user';
    url.password = password;
  }
  return url;
}

/**
 * Lets the config client find its server in the registry: `config: { discovery: true }` with `RookeryModule`, which brings
 * this module; with single rooms list it beside `DiscoveryModule`, whose own options cannot come from the config server then.
 *
 * @example
 * @Module({
 *   imports: [
 *     DiscoveryModule.forRoot({ name: 'orders' }),
 *     DiscoveredConfigServerModule,
 *     ConfigClientModule.forRoot({ discovery: 'config-server' }),
 *   ],
 * })
 * class AppModule {}
 */
@Global()
@Module({
  providers: [{ provide: ConfigServerLocator, useClass: DiscoveredConfigServer }],
  exports: [ConfigServerLocator],
})
export class DiscoveredConfigServerModule {}
