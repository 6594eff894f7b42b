import type { ModulesContainer } from '@nestjs/core';
import { ConfigCipher } from '../common/cipher/config-cipher.js';
import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';
import { refuse } from '../common/option-readers.js';
import type { ServiceIdentity } from '../common/service-identity.js';
import { ConfigClient } from './config-client.js';
import { type ConfigClientSettings, readConfigClientOptions } from './config-client.options.js';
import { ConfigJudge } from './config-judge.js';
import { ConfigLoader, type RemoteConfig } from './config-loader.js';
import type { SectionType } from './config-section.js';
import type { ConfigServerLocator } from './config-server-locator.js';
import { ConfigSource, type ConfigSourceFactory } from './config-source.js';
import { isStandardSchema } from './config-validation.js';
import { EnvironmentVariables } from './environment-variables.js';
import { sectionsIn } from './live-sections.js';
import { SnapshotFile } from './snapshot.js';
import { ConfigServerSource } from './sources/config-server.source.js';
import { LayeredSource } from './sources/layered.source.js';

/** Puts a loader together from what the user wrote. */
export class ConfigStart {
  private readonly settings: ConfigClientSettings;

  constructor(
    options: unknown,
    private readonly identity: ServiceIdentity,
    private readonly clock: Clock,
    private readonly events: EventHub,
    private readonly modules: ModulesContainer,
    private readonly locator: ConfigServerLocator | undefined,
  ) {
    this.settings = readConfigClientOptions(options);
    identity.claim('config.name', this.settings.name);
  }

  loader(): ConfigLoader {
    const { settings, clock, events } = this;
    const source = this.source();
    if (!source && settings.failFast) {
      refuse(
        'config.failFast',
        'is on, but there is nowhere to read from',
        'Set CONFIG_URL or config.url, or leave failFast out.',
      );
    }
    const variables = new EnvironmentVariables({ ...process.env });
    const client = new ConfigClient(variables, events, source?.name ?? 'no config server');
    const remote = source && this.remote(source);
    const judge = this.judge(variables);
    return new ConfigLoader({
      client,
      settings,
      judge,
      clock,
      events,
      ...(remote ? { remote } : {}),
    });
  }

  private judge(variables: EnvironmentVariables): ConfigJudge {
    const { defaults = {}, validate, decrypt } = this.settings;
    const sections = [...sectionsIn(this.modules)];
    const isClass = isClassOf(validate);
    if (isClass) sections.unshift({ token: validate, prefix: '', check: validate });
    return new ConfigJudge({
      variables,
      defaults,
      validate: isClass ? undefined : validate,
      sections,
      ...(decrypt ? { cipher: new ConfigCipher(decrypt) } : {}),
    });
  }

  private source(): ConfigSource | undefined {
    const { source, sources, url, discovery } = this.settings;
    if (source) return this.made(source);
    if (sources) {
      const made = sources.map((each) => this.made(each));
      return made.length > 1 ? new LayeredSource(made) : made[0];
    }
    if (url.length === 0 && discovery === undefined) return undefined;
    if (url.length === 0 && !this.locator) {
      refuse(
        'config.discovery',
        'is on, but nobody finds services here',
        'Import DiscoveredConfigServerModule beside DiscoveryModule, or set CONFIG_URL.',
      );
    }
    const { refresh, headers } = this.settings;
    return new ConfigServerSource({
      urls: url,
      clock: this.clock,
      ...refresh,
      headers,
      ...(discovery === undefined ? {} : { service: discovery }),
      ...(this.locator ? { locator: this.locator } : {}),
    });
  }

  private made(given: ConfigSource | ConfigSourceFactory): ConfigSource {
    if (given instanceof ConfigSource) return given;
    const { clock, locator } = this;
    const source: unknown = given({ clock, ...(locator ? { locator } : {}) });
    if (source instanceof ConfigSource) return source;
    return refuse(
      'config.sources',
      'has a function that makes no source',
      'Use configServer, configFile or consulKv, or return a ConfigSource.',
    );
  }

  private remote(source: ConfigSource): RemoteConfig {
    const { profiles, label, snapshot } = this.settings;
    const request = {
      name: this.identity.name,
      profiles,
      ...(label === undefined ? {} : { label }),
    };
    return { source, request, ...(snapshot ? { file: new SnapshotFile(snapshot, request) } : {}) };
  }
}

/** A class can only be made with `new`; a check is called. */
function isClassOf(value: ConfigClientSettings['validate']): value is SectionType {
  return (
    typeof value === 'function' &&
    !isStandardSchema(value) &&
    /^class\b/.test(Function.prototype.toString.call(value))
  );
}
