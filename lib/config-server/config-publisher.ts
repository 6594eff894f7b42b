import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { messageOf, RookeryError } from '../common/errors.js';
import { EventHub } from '../common/event-hub.js';
import { Live } from '../common/live.js';
import { ConfigAssembler, type PublishedConfig } from './config-assembler.js';
import { ConfigRepository, type Staleness } from './config-repository.js';
import { type ConfigQuery, keyOf } from './config-request.js';
import { ConfigServerStoppingError, RepositoryError } from './config-server.errors.js';

/** How long somebody waits, and for what. */
export interface ChangeWait {
  /** Says whether a configuration is one that the client has. */
  readonly has: (config: PublishedConfig) => boolean;
  /** How long, in ms. */
  readonly limit: number;
  /** The client is gone. */
  readonly signal: AbortSignal;
}

/** For those who do not wait. */
export const NOW = { has: () => false, limit: 0 } as const;

interface Topic {
  readonly query: ConfigQuery;
  readonly live: Live<PublishedConfig>;
  /** Aborts with the first outcome of the watch, good or bad. */
  readonly settled: AbortSignal;
  /** How many requests are waiting on it. */
  users: number;
  usedAt: number;
  /** Why the repository cannot be read at the moment. */
  readonly reason: { latest: string | undefined; error?: unknown; since?: string };
}

/** So many combinations of application, profiles and label are watched at most. */
const MOST_TOPICS = 500;
/** One that nobody has asked for in this time is watched no longer, in ms. */
const IDLE = 5 * 60_000;
/** How long the first answer of a repository may take, in ms. */
const PATIENCE = 5_000;

/**
 * Gives out what the repository holds: one watch for everyone who asks alike, a version by content, and a call to
 * those who wait when it changes.
 */
@Injectable()
export class ConfigPublisher implements OnModuleDestroy {
  private readonly logger = new Logger('ConfigServer');
  private readonly topics = new Map<string, Topic>();
  private readonly waits = new Set<() => void>();
  private readonly stopSweeping: () => void;
  private readonly stopHearing: () => void;
  /** No request is held any more; others are still answered while the service leaves. */
  private stopping = false;
  private closed = false;

  constructor(
    private readonly repository: ConfigRepository,
    private readonly clock: Clock,
    private readonly events: EventHub,
    private readonly assembler: ConfigAssembler,
  ) {
    this.stopSweeping = clock.every(IDLE / 5, () => this.sweep());
    // A service that leaves waits for its requests; those that are held would keep it.
    this.stopHearing = events.on('availability.changed', ({ to }) => {
      if (to === 'draining') this.stopWaiting();
    });
  }

  /** Why configurations cannot be read at the moment, one sentence for each. */
  get failures(): readonly string[] {
    return [...new Set([...this.topics.values()].flatMap(({ reason }) => reason.latest ?? []))];
  }

  /**
   * The configuration, at once; or, when the client has it already, the next one, or the same when the time is over.
   *
   * Throws `RepositoryError` when nothing good was ever read, and `ConfigServerStoppingError` when waiting is no use.
   */
  async publish(query: ConfigQuery, wait: ChangeWait): Promise<PublishedConfig> {
    const topic = this.topic(query);
    topic.users++;
    try {
      await this.first(topic);
      const { live } = topic;
      if (wait.limit > 0 && wait.has(live.current)) await this.change(topic, wait);
      this.assembler.mustGive(live.current, query.application);
      const stale = staleness(topic);
      return stale ? { ...live.current, stale } : live.current;
    } finally {
      topic.users--;
      topic.usedAt = this.clock.now();
    }
  }

  /** Nobody waits any longer: the server's connections must be able to end. */
  async onModuleDestroy(): Promise<void> {
    this.closed = true;
    this.stopWaiting();
    this.stopHearing();
    this.stopSweeping();
    for (const { live } of this.topics.values()) live.close();
    await this.repository.close();
  }

  private stopWaiting(): void {
    this.stopping = true;
    for (const end of this.waits) end();
  }

  /** Waits for the first outcome of the watch, good or bad. */
  private async first(topic: Topic): Promise<void> {
    const { live, settled, reason } = topic;
    if (live.latest) return;
    if (!settled.aborted) {
      await this.wait(PATIENCE, (wake) => {
        settled.addEventListener('abort', wake);
        return () => settled.removeEventListener('abort', wake);
      });
    }
    if (live.latest) return;
    if (this.stopping) throw new ConfigServerStoppingError();
    if (reason.error instanceof RookeryError && reason.error.statusCode === 404) {
      // What is not there need not be looked for again until somebody asks again.
      if (topic.users === 1) this.close(topic);
      throw reason.error;
    }
    throw new RepositoryError(reason.latest ?? 'The repository does not answer.');
  }

  /** Waits until the configuration is another than the client's. */
  private async change({ live }: Topic, { has, limit, signal }: ChangeWait): Promise<void> {
    if (!this.stopping && !signal.aborted) {
      await this.wait(limit, (wake) => {
        signal.addEventListener('abort', wake);
        const stop = live.onChange((config) => {
          if (!has(config)) wake();
        });
        return () => {
          stop();
          signal.removeEventListener('abort', wake);
        };
      });
    }
    if (this.stopping && has(live.current)) throw new ConfigServerStoppingError();
  }

  /**
   * Sleeps until somebody wakes it, time is over, or waiting ends for everyone. A thousand do so at once: a controller and
   * a signal for each of them would be most of what they cost.
   */
  private async wait(limit: number, begin: (wake: () => void) => () => void): Promise<void> {
    const ends: (() => void)[] = [];
    await new Promise<void>((resolve) => {
      const wake = () => resolve();
      this.waits.add(wake);
      ends.push(this.clock.after(limit, wake), begin(wake), () => this.waits.delete(wake));
    });
    for (const end of ends) end();
  }

  private topic(query: ConfigQuery): Topic {
    const key = keyOf(query);
    const known = this.topics.get(key);
    if (known) return known;
    if (this.closed) throw new ConfigServerStoppingError();
    this.makeRoom();
    const topic = this.open(query);
    this.topics.set(key, topic);
    return topic;
  }

  private open(query: ConfigQuery): Topic {
    const { application } = query;
    const outcome = new AbortController();
    const live = new Live<PublishedConfig>({
      clock: this.clock,
      open: (signal) => this.assembled(query, signal),
      // A file that was mended must be seen in less than a second.
      backoff: { most: 800 },
      onError: (error) => {
        this.failed(topic, messageOf(error), error);
        outcome.abort();
      },
      onListenerError: (error) => this.logger.error(messageOf(error)),
    });
    const topic: Topic = {
      query,
      live,
      settled: outcome.signal,
      users: 0,
      usedAt: this.clock.now(),
      reason: { latest: undefined },
    };
    let published: string | undefined;
    live.onChange(({ version, tag, stale }) => {
      if (stale) this.failed(topic, stale.reason);
      else topic.reason.latest = undefined;
      outcome.abort();
      if (published !== undefined && published !== tag) {
        this.events.emit('config.published', { application, version });
      }
      published = tag;
    });
    return topic;
  }

  private async *assembled(
    { application, profiles, label }: ConfigQuery,
    signal: AbortSignal,
  ): AsyncIterable<PublishedConfig> {
    for await (const snapshot of this.repository.watch(application, profiles, label, signal)) {
      yield this.assembler.assemble(snapshot, label);
    }
  }

  private failed(topic: Topic, reason: string, error?: unknown): void {
    topic.reason.error = error;
    if (topic.reason.latest === reason) return;
    if (topic.reason.latest === undefined) {
      topic.reason.since = new Date(this.clock.wallTime()).toISOString();
    }
    topic.reason.latest = reason;
    // Somebody asked for what is not there; the answer says so.
    if (error instanceof RookeryError && error.statusCode === 404) return;
    const { application } = topic.query;
    this.events.emit('repository.failed', { application, reason });
    const kept = topic.live.latest ? 'The last good one is served on' : 'There is none to serve';
    this.logger.warn(
      `The configuration of "${application}" cannot be read: ${reason.replace(/\.$/, '')}. ${kept}, and it is tried again.`,
    );
  }

  /** Whatever nobody has asked for in a while is watched no longer. */
  private sweep(): void {
    const limit = this.clock.now() - IDLE;
    for (const topic of this.topics.values()) {
      if (topic.users === 0 && topic.usedAt < limit) this.close(topic);
    }
  }

  /** There is a bound, because strangers can ask for any name: whoever was idle the longest goes. */
  private makeRoom(): void {
    if (this.topics.size < MOST_TOPICS) return;
    let oldest: Topic | undefined;
    for (const topic of this.topics.values()) {
      if (topic.users === 0 && (!oldest || topic.usedAt < oldest.usedAt)) oldest = topic;
    }
    if (!oldest)
      throw new RepositoryError(
        `More than ${MOST_TOPICS} configurations are being asked for at once.`,
      );
    this.close(oldest);
  }

  private close({ query, live }: Topic): void {
    live.close();
    this.topics.delete(keyOf(query));
  }
}

/** Whether an older state is given out: because the repository says so, or because it cannot be read at all. */
function staleness({ live, reason: { latest, since } }: Topic): Staleness | undefined {
  if (latest === undefined) return undefined;
  return live.latest?.stale ?? { since: since ?? '', reason: latest };
}
