import { createHash } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ConfigCipher } from '../common/cipher/config-cipher.js';
import { messageOf } from '../common/errors.js';
import type { PropertySource, PropertyValue } from '../common/properties/property-source.js';
import type { RepositorySnapshot, Staleness } from './config-repository.js';
import { ConfigNotFoundError } from './config-server.errors.js';
import { CONFIG_SERVER_SETTINGS, type ConfigServerSettings } from './config-server.options.js';
import { flatProperties } from './flat-properties.js';

/** A layer as it is given out. */
export interface PublishedSource extends PropertySource {
  /** The keys whose values were secrets in the repository. */
  readonly secrets?: ReadonlySet<string>;
}

/** A configuration as it is given out. */
export interface PublishedConfig {
  /** The repository's own name of the state, such as a commit; else the tag. */
  readonly version: string;
  /** A hash of the contents: the same for everyone who would be told the same. */
  readonly tag: string;
  readonly label: string | undefined;
  readonly sources: readonly PublishedSource[];
  readonly stale?: Staleness;
}

/** So many secrets that cannot be read are complained of. */
const MOST_COMPLAINTS = 1_000;

/** Makes of what a repository holds what is given out: secrets in clear text, the server's overrides on top. */
@Injectable()
export class ConfigAssembler {
  private readonly logger = new Logger('ConfigServer');
  private readonly cipher: ConfigCipher | undefined;
  private readonly overrides: readonly PropertySource[];
  private readonly complaints = new Set<string>();

  constructor(@Inject(CONFIG_SERVER_SETTINGS) private readonly settings: ConfigServerSettings) {
    const { encrypt, decryption, overrides } = settings;
    if (encrypt && decryption === 'server') this.cipher = new ConfigCipher(encrypt);
    const source = overrides && flatProperties(overrides);
    this.overrides =
      source && Object.keys(source).length > 0 ? [{ name: 'overrides', source }] : [];
  }

  assemble(
    { sources, version, label, stale }: RepositorySnapshot,
    asked: string | undefined,
  ): PublishedConfig {
    const opened = sources.map((source) => this.opened(source));
    const all = [...this.overrides, ...opened];
    // An application without layers has none, whatever the server says of every application.
    const given = sources.length === 0 && !this.settings.acceptEmpty ? [] : all;
    const tag = createHash('sha256').update(JSON.stringify(given)).digest('hex').slice(0, 32);
    return {
      version: version ?? tag,
      tag,
      label: label ?? asked,
      sources: given,
      ...(stale ? { stale } : {}),
    };
  }

  /** Throws `ConfigNotFoundError` when there is nothing to give, and that is to be said. */
  mustGive({ sources }: PublishedConfig, application: string): void {
    if (sources.length > 0 || this.settings.acceptEmpty) return;
    throw new ConfigNotFoundError(`There is no configuration of "${application}".`);
  }

  /** The layer with its secrets in clear text; one that cannot be read becomes `invalid.<key>: <n/a>`, as with Spring. */
  private opened(layer: PropertySource): PublishedSource {
    const { cipher } = this;
    const keys = Object.keys(layer.source).filter((key) =>
      ConfigCipher.isSecret(layer.source[key]),
    );
    if (keys.length === 0) return layer;
    if (!cipher) return { ...layer, secrets: new Set(keys) };
    const source: [string, PropertyValue][] = [];
    const origins = { ...layer.origins };
    const secrets = new Set<string>();
    for (const [key, value] of Object.entries(layer.source)) {
      const opened = ConfigCipher.isSecret(value)
        ? this.open(cipher, { layer, key, value })
        : { key, value };
      source.push([opened.key, opened.value]);
      if (ConfigCipher.isSecret(value)) secrets.add(opened.key);
      const origin = layer.origins?.[key];
      if (opened.key !== key && origin !== undefined) origins[opened.key] = origin;
    }
    return { name: layer.name, source: Object.fromEntries(source), origins, secrets };
  }

  private open(
    cipher: ConfigCipher,
    { layer, key, value }: { layer: PropertySource; key: string; value: string },
  ): { readonly key: string; readonly value: PropertyValue } {
    try {
      return { key, value: cipher.decrypt(value) };
    } catch (error) {
      this.complain(
        `"${key}" of ${layer.origins?.[key] ?? layer.name} cannot be decrypted: ${messageOf(error)}`,
      );
      return this.settings.prefixInvalid
        ? { key: `invalid.${key}`, value: '<n/a>' }
        : { key, value };
    }
  }

  private complain(sentence: string): void {
    if (this.complaints.has(sentence) || this.complaints.size >= MOST_COMPLAINTS) return;
    this.complaints.add(sentence);
    this.logger.warn(sentence);
  }
}
