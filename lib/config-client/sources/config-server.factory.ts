import type { Duration } from '../../common/duration.js';
import { InvalidOptionsError } from '../../common/errors.js';
import { duration, flag, group, record, textOf } from '../../common/option-readers.js';
import { urls } from '../config-server-urls.js';
import type { ConfigSourceFactory } from '../config-source.js';
import { ConfigServerSource } from './config-server.source.js';

/** Which config server, and how it is asked. */
export interface ConfigServerOptions {
  /** Its address; several, separated by commas, are tried in order. @default the variable CONFIG_URL */
  readonly url?: string;
  /** The service that is looked up in the registry while no address is given. @default 'config-server' */
  readonly service?: string;
  /** How often a server is asked, and how long one that can holds a question. @default '30s' */
  readonly interval?: Duration;
  /** Whether a server that can hold a question is asked to. @default true */
  readonly push?: boolean;
  /** Headers sent with every question. @default none */
  readonly headers?: Readonly<Record<string, string>>;
}

const read = group({
  url: urls,
  service: (value: unknown, path: string) =>
    value === undefined ? 'config-server' : textOf()(value, path),
  interval: duration('30s', { min: 1_000 }),
  push: flag(true),
  headers: record(textOf()),
});

/**
 * A config server as one of several sources: ours, which says at once when something changes, or Spring's, which is asked.
 *
 * @example
 * ConfigClientModule.forRoot({ sources: [configServer(), configFile('config.yml')] })
 */
export function configServer(options: ConfigServerOptions = {}): ConfigSourceFactory {
  // Read when the application starts: by then .env files and the like have filled the environment.
  return ({ clock, locator }) => {
    const { url, ...settings } = read(options, 'configServer');
    if (url.length === 0 && !locator) {
      throw new InvalidOptionsError(
        "configServer has no address. Set CONFIG_URL or configServer({ url: 'http://config-server:8888' }), or import DiscoveredConfigServerModule.",
      );
    }
    return new ConfigServerSource({
      urls: url,
      clock,
      ...settings,
      ...(locator ? { locator } : {}),
    });
  };
}
