import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { Changes } from '../../common/changes.js';
import type { Clock } from '../../common/clock.js';
import { type Duration } from '../../common/duration.js';
import { messageOf } from '../../common/errors.js';
import { duration, refuse } from '../../common/option-readers.js';
import { ConfigFileError } from '../config-client.errors.js';
import {
  type ConfigRequest,
  type ConfigSnapshot,
  ConfigSource,
  type ConfigSourceFactory,
} from '../config-source.js';
import { FORMATS, layersOf, textOf } from './config-documents.js';

/** How a file is read. */
export interface ConfigFileOptions {
  /** Whether it may be absent. @default false */
  readonly optional?: boolean;
  /** How often times and sizes are compared, beside what the operating system tells. @default '1s' */
  readonly poll?: Duration;
}

interface FileSettings {
  readonly optional: boolean;
  readonly poll: number;
}

/** A larger file is refused, in bytes. */
const MOST_BYTES = 1024 * 1024;
/** A file is read when nothing has moved for so long, in ms: a large one is written in pieces. */
const QUIET = 30;
/** An empty file is believed after so long, in ms: writers truncate first and write then. */
const LONGEST_QUIET = 400;

/** A file of this machine and its profiles' files beside it; made by `configFile`. */
class FileSource extends ConfigSource {
  override readonly name: string;

  constructor(
    private readonly path: string,
    private readonly settings: FileSettings,
    private readonly clock: Clock,
  ) {
    super();
    this.name = `file:${path}`;
  }

  override async *watch(
    { profiles }: ConfigRequest,
    signal: AbortSignal,
  ): AsyncIterable<ConfigSnapshot> {
    const noticed = new Changes();
    const files = [...profiles.toReversed().map((profile) => this.beside(profile)), this.path];
    const watcher = listen(dirname(resolve(this.path)), noticed);
    try {
      let before: string | undefined;
      let print = await fingerprint(files);
      while (!signal.aborted) {
        if (print !== before) {
          yield await this.read(files, profiles);
          before = print;
        }
        await this.change(noticed, signal);
        print = await this.settled(files, before, signal);
      }
    } finally {
      watcher?.close();
    }
  }

  private async change(noticed: Changes, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const end = () => over.abort();
    // `AbortSignal.any` would leave a trace on a signal that lives as long as the application.
    signal.addEventListener('abort', end);
    const within = over.signal;
    await Promise.race([noticed.next(within), this.clock.sleep(this.settings.poll, within)]);
    end();
    signal.removeEventListener('abort', end);
  }

  /** The fingerprint of the files when a writer that is at work has come to rest. */
  private async settled(
    files: readonly string[],
    known: string,
    signal: AbortSignal,
  ): Promise<string> {
    const began = this.clock.now();
    let print = await fingerprint(files);
    for (let before = known; print !== before && !signal.aborted;) {
      before = print;
      await this.clock.sleep(QUIET, signal);
      print = await fingerprint(files);
      const isLong = this.clock.now() - began >= LONGEST_QUIET;
      if (isLong) break;
      if (isEmptied(known, print)) before = known;
    }
    return print;
  }

  private async read(
    files: readonly string[],
    profiles: readonly string[],
  ): Promise<ConfigSnapshot> {
    const hash = createHash('sha256');
    const layers = [];
    for (const file of files) {
      const optional = file !== this.path || this.settings.optional;
      const bytes = await readWhole(file, optional);
      if (!bytes) continue;
      hash.update(file).update(bytes);
      const place = `file:${file}`;
      const format = FORMATS[extname(file)] ?? 'yaml';
      layers.push(...(await layersOf({ place, format, text: textOf(bytes, place) }, profiles)));
    }
    return { sources: layers, version: hash.digest('hex').slice(0, 16) };
  }

  /** `config-prod.yml` beside `config.yml`. */
  private beside(profile: string): string {
    const ending = extname(this.path);
    return join(dirname(this.path), `${basename(this.path, ending)}-${profile}${ending}`);
  }
}

/**
 * Configuration in a file of this machine: YAML, JSON or .properties. `config-prod.yml` beside `config.yml` lies above it
 * while the profile `prod` is active. Changes are noticed while the application runs; a broken file changes nothing.
 *
 * @example
 * ConfigClientModule.forRoot({ sources: [configServer(), configFile('config.yml')] })
 */
export function configFile(path: string, options: ConfigFileOptions = {}): ConfigSourceFactory {
  if (!Object.hasOwn(FORMATS, extname(path))) {
    refuse(
      'configFile',
      `is '${path}'`,
      `Give it an ending of ${Object.keys(FORMATS).join(', ')}.`,
    );
  }
  const poll = duration('1s', { min: 50 })(options.poll, 'configFile.poll');
  const settings = { optional: options.optional ?? false, poll };
  return ({ clock }) => new FileSource(path, settings, clock);
}

/** What the operating system tells of a folder; where it tells nothing, times are compared all the same. */
function listen(folder: string, noticed: Changes): { close: () => void } | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, () => noticed.announce());
    return watcher.on('error', () => watcher.close());
  } catch {
    return undefined;
  }
}

/** Whether a file of the second fingerprint has no byte, and is another than that of the first. */
function isEmptied(before: string, after: string): boolean {
  const known = before.split('\n');
  return after.split('\n').some((file, at) => / 0 \d+$/.test(file) && file !== known[at]);
}

/** A line for each file: when it was changed, its size, and its inode. */
async function fingerprint(files: readonly string[]): Promise<string> {
  const stats = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return stats.map((each) => `${each?.mtimeMs} ${each?.size} ${each?.ino}`).join('\n');
}

async function readWhole(path: string, optional: boolean): Promise<Buffer | undefined> {
  const place = `file:${path}`;
  try {
    const file = await open(path, 'r');
    try {
      const before = await file.stat();
      if (!before.isFile()) throw new ConfigFileError(place, undefined, 'is no file');
      if (before.size > MOST_BYTES) {
        throw new ConfigFileError(
          place,
          undefined,
          `is larger than ${MOST_BYTES} bytes. Split it.`,
        );
      }
      const bytes = await file.readFile();
      const after = await file.stat();
      if (after.mtimeMs === before.mtimeMs && after.size === bytes.length) return bytes;
      throw new ConfigFileError(place, undefined, 'was written to while it was read');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof ConfigFileError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' && optional) return undefined;
    const remedy = code === 'ENOENT' ? '. Create it, or make it optional' : '';
    throw new ConfigFileError(place, undefined, `cannot be read: ${messageOf(error)}${remedy}`);
  }
}
