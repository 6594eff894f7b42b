import { Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import { formatDuration } from '../common/duration.js';
import { messageOf } from '../common/errors.js';
import type { EventHub } from '../common/event-hub.js';
import { Live } from '../common/live.js';
import type { ConfigClient, GoodConfig } from './config-client.js';
import { ConfigUnreachableError, InvalidConfigError } from './config-client.errors.js';
import type { ConfigClientSettings } from './config-client.options.js';
import type { ConfigRequest, ConfigSnapshot, ConfigSource } from './config-source.js';
import { judge } from './config-validation.js';
import { Environment } from './environment.js';
import type { EnvironmentVariables } from './environment-variables.js';
import type { SnapshotFile } from './snapshot.js';

/** A remote place to read from, and what is asked there. */
export interface RemoteConfig {
  readonly source: ConfigSource;
  readonly request: ConfigRequest;
  readonly file?: SnapshotFile;
}

/** What a loader works with. */
export interface ConfigLoaderParts {
  readonly client: ConfigClient;
  readonly settings: ConfigClientSettings;
  readonly variables: EnvironmentVariables;
  readonly clock: Clock;
  readonly events: EventHub;
  /** Absent when nothing remote is configured. */
  readonly remote?: RemoteConfig;
}

/** Where the values in use come from, and what is wrong with newer ones. */
export interface ConfigStatus {
  /** The remote source, if one is configured. */
  readonly source?: string;
  readonly using: 'remote' | 'snapshot' | 'local';
  /** Why the source does not answer. */
  readonly away?: string;
  /** Why the newest configuration was refused. */
  readonly rejected?: readonly string[];
}

interface Judged extends GoodConfig {
  readonly snapshot: ConfigSnapshot;
}

/** A source that is back is heard of in less than two seconds: no wait between attempts is longer than this, in ms. */
const LONGEST_WAIT = 1_500;

/** An outage shorter than this, in ms, such as a restart, heals by itself and is not worth a person's attention. */
const GRACE = 1_000;

/** Brings the configuration to the client: at the start, at every change, and again after the source was away. */
export class ConfigLoader implements OnModuleDestroy {
  private readonly logger = new Logger('Config');
  private readonly stopped = new AbortController();
  private live: Live<Judged> | undefined;
  private started = false;
  private using: ConfigStatus['using'] = 'local';
  private away: string | undefined;
  private rejected: readonly string[] | undefined;
  private refusal: (() => void) | undefined;
  private hasWarned = false;
  private cancelWarning: () => void = () => {};

  constructor(private readonly parts: ConfigLoaderParts) {}

  /** The client that it fills. */
  get client(): ConfigClient {
    return this.parts.client;
  }

  /** Where the values in use come from. */
  get status(): ConfigStatus {
    const { using, away, rejected } = this;
    const source = this.parts.remote?.source.name;
    return {
      using,
      ...(source === undefined ? {} : { source }),
      ...(away === undefined ? {} : { away }),
      ...(rejected === undefined ? {} : { rejected }),
    };
  }

  /**
   * Puts the first configuration in use: the source's, else the last good one from the file, else the local values.
   *
   * Throws `ConfigUnreachableError` when the source stays away and `failFast` is set, and `InvalidConfigError` when
   * what there is breaks the rules of `validate`.
   */
  async start(): Promise<void> {
    const { remote } = this.parts;
    try {
      if (!remote) await this.useLocal('the environment variables and local defaults');
      else if (!(await this.firstAnswer(remote))) await this.startWithout(remote);
      this.started = true;
    } catch (error) {
      this.onModuleDestroy();
      throw error;
    }
  }

  onModuleDestroy(): void {
    this.stopped.abort();
    this.cancelWarning();
    this.live?.close();
    this.parts.client.close();
  }

  /** Whether a good configuration came from the source in time. */
  private async firstAnswer(remote: RemoteConfig): Promise<boolean> {
    const { clock, settings, client } = this.parts;
    const refused = new Promise<void>((resolve) => (this.refusal = resolve));
    const live = new Live<Judged>({
      clock,
      open: (signal) => this.judged(remote, signal),
      backoff: { most: LONGEST_WAIT },
      onError: (error) => this.lost(messageOf(error)),
      onListenerError: (error) => this.logger.error(messageOf(error)),
    });
    this.live = live;
    live.onChange((judged) => {
      this.using = 'remote';
      this.rejected = undefined;
      client.accept(judged);
      this.keep(remote, judged.snapshot);
    });
    const waiting = new AbortController();
    await Promise.race([
      live.ready(),
      refused,
      clock.sleep(settings.startTimeout, AbortSignal.any([waiting.signal, this.stopped.signal])),
    ]);
    waiting.abort();
    return live.latest !== undefined;
  }

  /** The snapshots of the source that pass; the others are told and left out. */
  private async *judged(remote: RemoteConfig, signal: AbortSignal): AsyncIterable<Judged> {
    for await (const snapshot of remote.source.watch(remote.request, signal)) {
      this.found(remote.source.name);
      const judged = await this.judge(snapshot);
      if ('environment' in judged) yield judged;
      else this.refuse(remote, snapshot.version, judged.issues);
    }
  }

  private async judge(
    snapshot: ConfigSnapshot,
  ): Promise<Judged | { readonly issues: readonly string[] }> {
    const { settings, variables } = this.parts;
    const environment = new Environment({
      variables,
      sources: snapshot.sources,
      defaults: settings.defaults ?? {},
    });
    const verdict = await judge(environment.tree, settings.validate);
    if (!verdict.good) return verdict;
    return { environment, tree: verdict.tree, version: snapshot.version, snapshot };
  }

  /** The source did not give a good configuration in time: starts with what there is. */
  private async startWithout({ source, request, file }: RemoteConfig): Promise<void> {
    const { settings, events } = this.parts;
    const reason = this.away ?? `no answer within ${formatDuration(settings.startTimeout)}`;
    if (settings.failFast && !this.rejected) {
      const said = clause(reason, source.name);
      throw new ConfigUnreachableError(request.name, source.name, said, this.live?.error);
    }
    const saved = await file?.read();
    const judged = saved && (await this.judge(saved));
    if (judged && 'environment' in judged) {
      this.using = 'snapshot';
      this.parts.client.accept(judged);
    } else if (this.rejected) throw new InvalidConfigError(this.rejected, source.name);
    else
      await this.useLocal(
        `local values alone (${source.name} is away: ${clause(reason, source.name)})`,
      );
    if (this.rejected) return;
    this.away = reason;
    this.hasWarned = true;
    events.emit('config.unreachable', { source: source.name, reason });
    const values =
      this.using === 'snapshot' ? 'the last good values from its file' : 'local values';
    this.logger.warn(
      `No configuration from ${source.name}: ${clause(reason, source.name)}. "${request.name}" starts with ${values} and goes on trying.`,
    );
  }

  private async useLocal(from: string): Promise<void> {
    const judged = await this.judge({ sources: [] });
    if ('issues' in judged) throw new InvalidConfigError(judged.issues, from);
    this.parts.client.accept(judged);
  }

  private refuse(
    { source }: RemoteConfig,
    version: string | undefined,
    issues: readonly string[],
  ): void {
    this.rejected = issues;
    this.refusal?.();
    this.parts.events.emit('config.rejected', { version, issues });
    if (!this.started) return;
    this.logger.error(
      `A new configuration from ${source.name} is not valid and was refused: ${issues.join('; ')}. The last good one stays in use.`,
    );
  }

  private lost(reason: string): void {
    const source = this.parts.remote?.source.name ?? '';
    const before = this.away;
    this.away = reason;
    if (!this.started || before !== undefined) return;
    this.parts.events.emit('config.unreachable', { source, reason });
    this.cancelWarning = this.parts.clock.after(GRACE, () => {
      this.hasWarned = true;
      this.logger.warn(
        `The configuration from ${source} cannot be read: ${clause(this.away ?? reason, source)}. The last good values stay in use, and it is tried again.`,
      );
    });
  }

  private found(source: string): void {
    const before = this.away;
    this.away = undefined;
    if (!this.started || before === undefined) return;
    this.cancelWarning();
    this.parts.events.emit('config.reachable', { source });
    if (this.hasWarned) this.logger.log(`The configuration from ${source} is live again.`);
    this.hasWarned = false;
  }

  private keep({ file }: RemoteConfig, snapshot: ConfigSnapshot): void {
    file?.write(snapshot).catch((error: unknown) => {
      this.logger.warn(
        `The last good configuration could not be kept in config.snapshot: ${messageOf(error)}. Make its directory writable.`,
      );
    });
  }
}

/** A sentence as a part of another one, which has named the source already. */
function clause(sentence: string, source: string): string {
  const prefix = `${source}: `;
  const rest = sentence.startsWith(prefix) ? sentence.slice(prefix.length) : sentence;
  return rest.replace(/\.$/, '');
}
