import { type Clock, SystemClock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import type { PropertySource } from '../../common/properties/property-source.js';
import {
  type ConfigResource,
  ConfigRepository,
  type RepositorySnapshot,
  type ResourceQuery,
  type Staleness,
} from '../config-repository.js';
import { NoSuchLabelError } from '../config-server.errors.js';
import { type ConfigSearch, layersIn, resourceIn } from './config-search.js';
import { GitMirror, type GitRefs } from './git-mirror.js';
import { type GitRepositoryOptions, type GitSettings, readGitOptions } from './git-options.js';
import { SharedStream } from './shared-stream.js';

interface GitState {
  readonly refs: GitRefs;
  readonly stale?: Staleness;
}

/**
 * A git repository, local or remote: a label is a branch, a tag or a commit, and the version is the commit.
 *
 * It is mirrored without a work tree, fetched at an interval and when a webhook says so, and read from the mirror; while
 * the remote is away the last state is given out, and said to be stale. It needs the git program.
 */
export class GitRepository extends ConfigRepository {
  private readonly settings: GitSettings;
  private readonly clock: Clock;
  private readonly mirror: GitMirror;
  private readonly states: SharedStream<GitState>;
  private nudge = new AbortController();
  private latest: GitState | undefined;

  constructor(options: GitRepositoryOptions) {
    super();
    this.settings = readGitOptions(options);
    this.clock = options.clock ?? new SystemClock();
    this.mirror = new GitMirror(this.settings, this.clock);
    this.states = new SharedStream((signal) => this.follow(signal));
  }

  override async *watch(
    application: string,
    profiles: readonly string[],
    label: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<RepositorySnapshot> {
    for await (const state of this.states.watch(signal)) {
      yield await this.snapshot(state, { application, profiles, label }, signal);
    }
  }

  override async resource(
    query: ResourceQuery,
    signal: AbortSignal,
  ): Promise<ConfigResource | undefined> {
    const { refs } = await this.state(signal);
    for (const label of this.labels(query.label, refs)) {
      const commit = await this.mirror.commit(refs, label, signal);
      const tree = await this.mirror.tree(commit, signal);
      const found = await resourceIn(tree, this.search({ ...query, label }), query);
      if (found) return found;
    }
    return undefined;
  }

  /** Fetches at once, if somebody watches; else the next one who watches does. */
  override async refresh(): Promise<void> {
    this.nudge.abort();
  }

  override close(): Promise<void> {
    return this.mirror.close();
  }

  private async *follow(signal: AbortSignal): AsyncIterable<GitState> {
    let given: GitState | undefined;
    while (!signal.aborted) {
      // A nudge while it is being fetched makes it fetch again: what is new may have come too late for this one.
      this.nudge = new AbortController();
      const state = await this.fetch(signal);
      this.latest = state;
      if (!same(state, given)) yield (given = state);
      const stop = () => this.nudge.abort();
      signal.addEventListener('abort', stop);
      await this.clock.sleep(this.settings.refresh, this.nudge.signal);
      signal.removeEventListener('abort', stop);
    }
  }

  /** The state of the remote; the last one that is known while it is away. */
  private async fetch(signal: AbortSignal): Promise<GitState> {
    try {
      return { refs: await this.mirror.fetch(signal) };
    } catch (error) {
      signal.throwIfAborted();
      const { fetchedAt } = this.mirror;
      const refs = this.latest?.refs ?? (await this.mirror.refs(signal).catch(() => undefined));
      if (fetchedAt === undefined || !refs || refs.size === 0) throw error;
      const since = this.latest?.stale?.since ?? new Date(fetchedAt).toISOString();
      return { refs, stale: { since, reason: messageOf(error) } };
    }
  }

  /** What somebody who asks once is answered from: the state that is watched, or a new one. */
  private async state(signal: AbortSignal): Promise<GitState> {
    for await (const state of this.states.watch(signal)) return state;
    throw new Error('stopped');
  }

  private async snapshot(
    { refs, stale }: GitState,
    query: Omit<ResourceQuery, 'path'>,
    signal: AbortSignal,
  ): Promise<RepositorySnapshot> {
    const sources: PropertySource[] = [];
    const commits: string[] = [];
    const labels = this.labels(query.label, refs);
    for (const label of labels) {
      const commit = await this.mirror.commit(refs, label, signal);
      const tree = await this.mirror.tree(commit, signal);
      sources.push(...(await layersIn(tree, this.search({ ...query, label }))));
      commits.push(commit);
    }
    return {
      sources,
      version: commits.join(','),
      label: labels.join(','),
      ...(stale ? { stale } : {}),
    };
  }

  /** The labels that are asked for, the strongest first; without any, the default. */
  private labels(label: string | undefined, refs: GitRefs): readonly string[] {
    if (label !== undefined) return label.split(',');
    const { defaultLabel } = this.settings;
    if (defaultLabel !== undefined) return [defaultLabel];
    const found = ['main', 'master'].find((name) => refs.has(`refs/heads/${name}`));
    if (found === undefined) throw new NoSuchLabelError('main');
    return [found];
  }

  private search({ application, profiles, label }: Omit<ResourceQuery, 'path'>): ConfigSearch {
    const labels = label === undefined ? [] : [label];
    const paths = this.settings.searchPaths;
    return { application, profiles, labels, paths, labelFolders: false, prefix: 'git:' };
  }
}

/**
 * A git repository.
 *
 * @example
 * ConfigServerModule.forRoot({ repository: gitRepository({ url: 'https://git.example/config.git' }) })
 */
export function gitRepository(options: GitRepositoryOptions): GitRepository {
  return new GitRepository(options);
}

function same(one: GitState, other: GitState | undefined): boolean {
  if (!other || one.refs.size !== other.refs.size) return false;
  if (one.stale?.reason !== other.stale?.reason) return false;
  return [...one.refs].every(([name, commit]) => other.refs.get(name) === commit);
}
