import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Clock, SystemClock } from '../../common/clock.js';
import type { Duration } from '../../common/duration.js';
import { duration, refuse } from '../../common/option-readers.js';
import {
  type ConfigResource,
  ConfigRepository,
  type RepositorySnapshot,
  type ResourceQuery,
} from '../config-repository.js';
import { RepositoryError } from '../config-server.errors.js';
import { type ConfigSearch, layersIn, resourceIn } from './config-search.js';
import { FolderTree } from './folder-tree.js';
import { FolderWatch } from './folder-watch.js';
import { searchPaths } from './search-locations.js';

/** Where the files are. */
export interface FileRepositoryOptions {
  /** The directory with `application.yml`, `orders.yml`, `orders-prod.yml` and their like; sub-directories are labels. */
  readonly path: string;
  /**
   * Directories below it that are looked into as well, later ones stronger: `shared`, `{application}`, `teams/*`;
   * `{profile}` and `{label}` too. @default none
   */
  readonly searchPaths?: readonly string[];
  /** How often times and sizes are compared, beside what the operating system tells. @default '1s' */
  readonly poll?: Duration;
  /** Time; a test gives its own. @default the machine's */
  readonly clock?: Clock;
}

/**
 * Files in a directory, as Spring's native repository has them.
 *
 * Highest first: `{application}-{profile}`, then `application-{profile}`, the last profile first; then `{application}`,
 * then `application`. Of one name a label's sub-directory comes before the root, and .properties before .yml, .yaml and
 * .json; in one file a later document wins, and one with `spring.config.activate.on-profile` counts if it holds.
 * Changes are noticed while it runs. A broken file keeps the last good configuration of everyone who reads it.
 */
export class FileRepository extends ConfigRepository {
  private readonly root: string;
  private readonly folder: FolderWatch;
  private readonly paths: readonly string[];
  /** What was read since the last change, shared by all who watch. */
  private read: { readonly generation: number; readonly tree: FolderTree };

  constructor({
    path,
    poll,
    searchPaths: paths,
    clock = new SystemClock(),
  }: FileRepositoryOptions) {
    super();
    const interval = duration('1s', { min: 50 })(poll, 'fileRepository.poll');
    this.paths = searchPaths(paths, 'fileRepository.searchPaths');
    this.root = directory(path);
    this.folder = new FolderWatch(this.root, clock, interval);
    this.read = { generation: -1, tree: new FolderTree(this.root) };
  }

  override async *watch(
    application: string,
    profiles: readonly string[],
    label: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<RepositorySnapshot> {
    const close = await this.folder.open();
    try {
      while (!signal.aborted) {
        const { generation } = this.folder;
        this.mustExist();
        const search = this.search({ application, profiles, label });
        yield { sources: await layersIn(this.tree(), search) };
        await this.folder.past(generation, signal);
      }
    } finally {
      close();
    }
  }

  override async resource(query: ResourceQuery): Promise<ConfigResource | undefined> {
    this.mustExist();
    return resourceIn(new FolderTree(this.root), this.search(query), query);
  }

  private search({ application, profiles, label }: Omit<ResourceQuery, 'path'>): ConfigSearch {
    const labels = label?.split(',').map((each) => each.trim()) ?? [];
    const { paths } = this;
    return { application, profiles, labels, paths, labelFolders: true, prefix: 'file:' };
  }

  private tree(): FolderTree {
    const { generation } = this.folder;
    if (this.read.generation !== generation) {
      this.read = { generation, tree: new FolderTree(this.root) };
    }
    return this.read.tree;
  }

  /** A directory that is gone is not a configuration without values. */
  private mustExist(): void {
    if (statSync(this.root, { throwIfNoEntry: false })?.isDirectory()) return;
    throw new RepositoryError('The directory of the repository is gone. Put it back.');
  }
}

/**
 * A repository of files in a directory.
 *
 * @example
 * ConfigServerModule.forRoot({ repository: fileRepository({ path: 'config' }) })
 */
export function fileRepository(options: FileRepositoryOptions): FileRepository {
  return new FileRepository(options);
}

function directory(path: unknown): string {
  if (typeof path !== 'string' || path === '') {
    refuse('fileRepository.path', 'is not a text', "Write it like './config'.");
  }
  const root = resolve(path);
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    refuse('fileRepository.path', `is '${path}', where no directory is`, `Create ${root}.`);
  }
  return realpathSync(root);
}
