/**
 * Finds the config server in a registry, for clients that are told no address.
 *
 * It is a contract, because discovery stands beside this room and not beneath it: `DiscoveredConfigServerModule` fills it.
 */
export abstract class ConfigServerLocator {
  /** The addresses of a service that takes traffic, in the order they are tried; none when nobody is registered. */
  abstract locate(service: string, signal: AbortSignal): Promise<readonly URL[]>;
}
