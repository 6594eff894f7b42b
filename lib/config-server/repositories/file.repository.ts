import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Clock, SystemClock } from '../../common/clock.js';
import type { Duration } from '../../common/duration.js';
import { duration, refuse } from '../../common/option-readers.js';
import type { PropertySource } from '../../common/properties/property-source.js';
import { ConfigRepository, type RepositorySnapshot } from '../config-repository.js';
import { ConfigFileError, RepositoryError } from '../config-server.errors.js';
import { type ConfigDocument, FormatError } from '../../common/properties/flatten.js';
import { profilesMatch } from '../../common/properties/profile-expression.js';
import { ENDINGS, nameIn, readConfigFile } from './config-file.js';
import { FolderWatch } from './folder-watch.js';

/** Where the files are. */
export interface FileRepositoryOptions {
  /** The directory with `application.yml`, `orders.yml`, `orders-prod.yml` and their like; sub-directories are labels. */
  readonly path: string;
  /** How often times and sizes are compared, beside what the operating system tells. @default '1s' */
  readonly poll?: Duration;
  /** Time; a test gives its own. @default the machine's */
  readonly clock?: Clock;
}

type Documents = readonly ConfigDocument[] | undefined;

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
  /** What was read since the last change, shared by all who watch. */
  private read = { generation: -1, files: new Map<string, Promise<Documents>>() };

  constructor({ path, poll, clock = new SystemClock() }: FileRepositoryOptions) {
    super();
    const interval = duration('1s', { min: 50 })(poll, 'fileRepository.poll');
    this.root = directory(path);
    this.folder = new FolderWatch(this.root, clock, interval);
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
        yield { sources: await this.sources(application.split(','), profiles, label) };
        await this.folder.past(generation, signal);
      }
    } finally {
      close();
    }
  }

  private async sources(
    applications: readonly string[],
    profiles: readonly string[],
    label: string | undefined,
  ): Promise<readonly PropertySource[]> {
    const names = [...new Set(['application', ...applications])].toReversed();
    const specific = profiles
      .toReversed()
      .flatMap((profile) => names.map((n) => `${n}-${profile}`));
    const folders = [...(label?.split(',').map((each) => each.trim()) ?? []), ''];
    const active = new Set(profiles);
    const found = [...specific, ...names].flatMap((name) =>
      folders.flatMap((folder) =>
        ENDINGS.map(async (ending) => {
          const file = nameIn(folder, `${name}${ending}`);
          return sourcesOf(file, await this.documents(file), active);
        }),
      ),
    );
    return (await Promise.all(found)).flat();
  }

  private documents(file: string): Promise<Documents> {
    const { generation } = this.folder;
    if (this.read.generation !== generation) this.read = { generation, files: new Map() };
    const { files } = this.read;
    const known = files.get(file);
    if (known) return known;
    const reading = readConfigFile(this.root, file);
    files.set(file, reading);
    // A failure is not kept: the next attempt reads again.
    reading.catch(() => files.delete(file));
    return reading;
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

/** The layers of one file, the last document first. */
function sourcesOf(
  file: string,
  documents: Documents,
  active: ReadonlySet<string>,
): readonly PropertySource[] {
  if (!documents) return [];
  const several = documents.length > 1;
  const sources = documents.flatMap(({ entries }, at) => {
    if (entries.length === 0 || !isActive(file, entries, active)) return [];
    const name = `file:${file}${several ? ` (document #${at})` : ''}`;
    const source = Object.fromEntries(entries.map(({ key, value }) => [key, value]));
    const origins = entries.map(({ key, position }) => [key, `file:${file}:${position}`]);
    return [{ name, source, origins: Object.fromEntries(origins) as Record<string, string> }];
  });
  return sources.toReversed();
}

const ON_PROFILE = /^spring\.config\.activate\.on-profile(?:\[\d+\])?$/;

function isActive(
  file: string,
  entries: ConfigDocument['entries'],
  active: ReadonlySet<string>,
): boolean {
  const conditions = entries.filter(({ key }) => ON_PROFILE.test(key));
  if (conditions.length === 0) return true;
  return conditions.some(({ value, position }) => {
    try {
      return profilesMatch(String(value), active);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new ConfigFileError(file, Number.parseInt(position, 10), error.message);
    }
  });
}
