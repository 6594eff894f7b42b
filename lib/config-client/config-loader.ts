import { Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import { formatDuration } from '../common/duration.js';
import { messageOf } from '../common/errors.js';
import type { EventHub } from '../common/event-hub.js';
import { Live } from '../common/live.js';
import type { PropertySource } from '../common/properties/property-source.js';
import type { ConfigClient } from './config-client.js';
import { clause, ConfigOutage } from './config-outage.js';
import { ConfigUnreachableError, InvalidConfigError } from './config-client.errors.js';
import type { ConfigClientSettings } from './config-client.options.js';
import type { ConfigRequest, ConfigSnapshot, ConfigSource, ConfigUsage } from './config-source.js';
import { type ConfigJudge, type Judged } from './config-judge.js';
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
  readonly judge: ConfigJudge;
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

/** Brings the configuration to the client: at the start, at every change, and again after the source was away. */
export class ConfigLoader implements OnModuleDestroy {
  private readonly logger = new Logger('Config');
  private readonly stopped = new AbortController();
  private live: Live<Judged> | undefined;
  private started = false;
  private using: ConfigStatus['using'] = 'local';
  private rejected: readonly string[] | undefined;
  private warnedOf: string | undefined;
  private refusal: (() => void) | undefined;
  private inUse: Judged | undefined;
  /** The last one that has proved itself. */
  private proven: Judged | undefined;
  /** What was taken back must not come again. */
  private harmful: { readonly print: string; readonly reason: string } | undefined;
  private readonly outage: ConfigOutage;

  constructor(private readonly parts: ConfigLoaderParts) {
    const { clock, events, remote } = parts;
    const { logger } = this;
    this.outage = new ConfigOutage({ source: remote?.source.name ?? '', clock, events, logger });
  }

  /** The client that it fills. */
  get client(): ConfigClient {
    return this.parts.client;
  }

  /** When a configuration is taken back, if it ever is. */
  get rollback(): ConfigClientSettings['rollback'] {
    return this.parts.settings.rollback;
  }

  /** Tells the source how the configuration is used, if it wants to know. */
  async report(usage: ConfigUsage, signal: AbortSignal): Promise<void> {
    const { remote } = this.parts;
    await remote?.source.report(remote.request, usage, signal);
  }

  /** The rules, as a digest that is another when they are others. */
  get schema(): string | undefined {
    return this.parts.judge.digest;
  }

  /** Reads whom a feature is asked for from a request. */
  get subject(): ConfigClientSettings['features']['subject'] {
    return this.parts.settings.features.subject;
  }

  /** Where the values in use come from. */
  get status(): ConfigStatus {
    const { using, rejected } = this;
    const { away } = this.outage;
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
    this.outage.close();
    this.live?.close();
    this.parts.client.close();
  }

  /** Whether a good configuration came from the source in time. */
  private async firstAnswer(remote: RemoteConfig): Promise<boolean> {
    const { clock, settings } = this.parts;
    const refused = new Promise<void>((resolve) => (this.refusal = resolve));
    const live = new Live<Judged>({
      clock,
      open: (signal) => this.judged(remote, signal),
      backoff: settings.retry,
      onError: (error) => this.outage.lost(messageOf(error), this.started),
      onListenerError: (error) => this.logger.error(messageOf(error)),
    });
    this.live = live;
    live.onChange((judged) => {
      this.using = 'remote';
      this.rejected = undefined;
      this.use(judged);
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
      this.outage.found(this.started);
      const harm = this.harmOf(snapshot);
      const judged =
        harm === undefined ? await this.parts.judge.judge(snapshot) : { issues: [harm] };
      if ('environment' in judged) yield judged;
      else this.refuse(remote, snapshot.version, judged.issues);
    }
  }

  /** The source did not give a good configuration in time: starts with what there is. */
  private async startWithout({ source, request, file }: RemoteConfig): Promise<void> {
    const { settings } = this.parts;
    const reason = this.outage.away ?? `no answer within ${formatDuration(settings.startTimeout)}`;
    if (settings.failFast && !this.rejected) {
      const said = clause(reason, source.name);
      throw new ConfigUnreachableError(request.name, source.name, said, this.live?.error);
    }
    const { saved, problem } = await this.saved(file);
    const why = problem === undefined ? '' : `; ${problem}`;
    const judged = saved && (await this.parts.judge.judge(saved));
    if (judged && 'environment' in judged) {
      this.using = 'snapshot';
      this.use(judged);
    } else if (this.rejected) throw new InvalidConfigError(this.rejected, source.name);
    else {
      const from = `local values alone (${source.name} is away: ${clause(reason, source.name)}${why})`;
      await this.useLocal(from, source.known);
    }
    if (this.rejected) return;
    const values =
      this.using === 'snapshot' ? 'the last good values from its file' : 'local values';
    this.outage.startedWithout(
      reason,
      `"${request.name}" starts with ${values} and goes on trying.`,
    );
    if (problem !== undefined) this.logger.warn(`${problem}.`);
  }

  /** The last good configuration of an earlier run, or why there is none. */
  private async saved(file: SnapshotFile | undefined) {
    try {
      return { saved: await file?.read(), problem: undefined };
    } catch (error) {
      return { saved: undefined, problem: messageOf(error).replace(/\.$/, '') };
    }
  }

  private async useLocal(from: string, sources: readonly PropertySource[] = []): Promise<void> {
    const judged = await this.parts.judge.judge({ sources });
    if ('issues' in judged) throw new InvalidConfigError(judged.issues, from);
    this.use(judged);
  }

  /** Puts a good configuration in use. One that can still be taken back is kept in the file when it has proved itself. */
  private use(judged: Judged): void {
    const before = this.inUse;
    this.inUse = judged;
    this.parts.client.accept(judged);
    this.warnOf(judged);
    const onTrial = this.started && before !== undefined && (this.onTrial?.(judged) ?? false);
    if (!onTrial) this.prove();
    else this.proven ??= before;
  }

  private warnOf(judged: Judged): void {
    const keys = this.parts.judge.unopened(judged);
    if (keys.length === 0 || this.warnedOf === keys.join()) return;
    this.warnedOf = keys.join();
    this.logger.warn(
      `Encrypted values came that nobody opened: ${keys.join(', ')}. Give the server their key, or set config.decrypt.`,
    );
  }

  /** Is asked at each change whether the new configuration is on trial; the trial ends with `prove` or `revert`. */
  onTrial: ((judged: Judged) => boolean) | undefined;

  /** The configuration in use is good: it is what a later one is taken back to. */
  prove(): void {
    const { remote } = this.parts;
    this.proven = this.inUse;
    if (remote && this.using === 'remote' && this.inUse) this.keep(remote, this.inUse.snapshot);
  }

  /** The configuration in use does harm: the one before it counts again, and this one is refused from now on. */
  revert(reason: string): void {
    const { proven, inUse } = this;
    if (!proven || !inUse || proven === inUse) return;
    this.harmful = { print: printOf(inUse.snapshot), reason };
    this.inUse = proven;
    this.rejected = [reason];
    this.parts.client.accept(proven);
    const { version } = inUse;
    this.parts.events.emit('config.reverted', { version, to: proven.version, reason });
    this.logger.error(
      `The configuration${version === undefined ? '' : ` ${version}`} was taken back: ${reason}. The one before it is in use again; publish a better one.`,
    );
  }

  private harmOf(snapshot: ConfigSnapshot): string | undefined {
    return this.harmful && printOf(snapshot) === this.harmful.print
      ? this.harmful.reason
      : undefined;
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

  private keep({ file }: RemoteConfig, snapshot: ConfigSnapshot): void {
    file?.write(snapshot).catch((error: unknown) => {
      this.logger.warn(
        `The last good configuration could not be kept in config.snapshot: ${messageOf(error)}. Make its directory writable.`,
      );
    });
  }
}

/** Two snapshots with the same layers are one configuration, whatever their source calls them. */
function printOf({ sources }: ConfigSnapshot): string {
  return JSON.stringify(sources.map(({ name, source }) => [name, source]));
}
