import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../../common/clock.js';

/** A file is read when nothing has moved for so long, in ms: a large one is written in pieces. */
const QUIET = 20;
/**
 * But somebody who never stops writing must not hide changes for longer than this; nor is a file that was emptied believed
 * to be empty before: writers truncate first and write then.
 */
const LONGEST_QUIET = 400;

/** Beyond these the folder is not one of configuration files. */
const MOST_FOLDERS = 200;
/** So many files are looked at before a change counts. */
const MOST_TOUCHED = 100;

/** Of each path, when it was changed, its size, and its inode. */
type Fingerprint = ReadonlyMap<string, string>;

/**
 * Notices that something below a folder has changed.
 *
 * The operating system tells it at once where it can; besides, times and sizes are compared at an interval, because
 * network drives and mounted volumes tell nothing. It works while somebody has opened it.
 */
export class FolderWatch {
  /** Grows with every change that was noticed. */
  generation = 0;
  private users = 0;
  private started: Promise<void> = Promise.resolve();
  private readonly waiting = new Set<() => void>();
  /** By folder and inode: one that was made anew is another. */
  private watchers = new Map<string, FSWatcher>();
  private stopPolling: (() => void) | undefined;
  private stopDelay: (() => void) | undefined;
  private noticedAt: number | undefined;
  private readonly touched = new Set<string>();
  private fingerprint: Fingerprint = new Map();
  private looking = false;

  constructor(
    private readonly folder: string,
    private readonly clock: Clock,
    private readonly interval: number,
  ) {}

  /** Begins to watch; when it resolves, no later change is missed. Returns how to end it. */
  async open(): Promise<() => void> {
    if (this.users++ === 0) this.started = this.start();
    await this.started;
    return () => {
      if (--this.users === 0) this.rest();
    };
  }

  /** Resolves when the generation is past the given one, or when the signal aborts. */
  async past(generation: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.generation > generation) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  private async start(): Promise<void> {
    await this.listen();
    this.fingerprint = await this.takeFingerprint();
    if (this.users > 0) this.stopPolling = this.clock.every(this.interval, () => void this.look());
  }

  private rest(): void {
    this.stopPolling?.();
    this.stopDelay?.();
    this.settle();
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  /** Watches every folder by itself; recursive watching is not to be had everywhere. */
  private async listen(): Promise<void> {
    const found = new Map<string, string>();
    for (const folder of await this.folders()) {
      const { ino } = (await stat(folder).catch(() => undefined)) ?? {};
      if (ino !== undefined) found.set(`${ino} ${folder}`, folder);
    }
    if (this.users === 0) return;
    // Those that stay are left alone: what happens between closing and opening one would be missed.
    for (const [key, watcher] of this.watchers) {
      if (found.has(key)) continue;
      watcher.close();
      this.watchers.delete(key);
    }
    for (const [key, folder] of found) if (!this.watchers.has(key)) this.watch(key, folder);
  }

  private watch(key: string, folder: string): void {
    const drop = () => {
      watcher?.close();
      if (this.watchers.get(key) === watcher) this.watchers.delete(key);
    };
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(folder, { persistent: false }, (event, name) => {
        // So the system names a folder that is gone itself; one that is made anew may get the same inode.
        if (event === 'rename' && name === basename(folder)) drop();
        this.notice(name === null ? [] : [join(folder, name)]);
      });
      watcher.on('error', drop);
      this.watchers.set(key, watcher);
    } catch {
      // Out of watches, or gone again: the comparison sees it too.
    }
  }

  private notice(files: readonly string[]): void {
    const now = this.clock.now();
    this.noticedAt ??= now;
    for (const file of files) if (this.touched.size < MOST_TOUCHED) this.touched.add(file);
    if (now - this.noticedAt > LONGEST_QUIET) return;
    this.delay();
  }

  private delay(): void {
    this.stopDelay?.();
    const stop = this.clock.after(QUIET, () => void this.ripen(stop));
    this.stopDelay = stop;
  }

  /** It has been quiet: unless a file was emptied just now, this is a change. */
  private async ripen(delay: () => void): Promise<void> {
    const sizes = await Promise.all([...this.touched].map(sizeOf));
    // Something else has moved meanwhile, or nobody watches any longer.
    if (this.stopDelay !== delay || this.noticedAt === undefined) return;
    if (sizes.includes(0) && this.clock.now() - this.noticedAt < LONGEST_QUIET) {
      return this.delay();
    }
    this.settle();
    this.generation++;
    for (const wake of this.waiting) wake();
    // There may be new folders.
    void this.listen();
  }

  private settle(): void {
    this.noticedAt = undefined;
    this.touched.clear();
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    const before = this.fingerprint;
    this.fingerprint = await this.takeFingerprint();
    this.looking = false;
    const changed = differing(before, this.fingerprint);
    if (this.users > 0 && changed.length > 0) this.notice(changed);
  }

  /** The folder and those below it: labels with slashes lie deeper. Links are not followed; they could go round. */
  private async folders(): Promise<readonly string[]> {
    const found = [this.folder];
    for (let at = 0; at < found.length && found.length < MOST_FOLDERS; at++) {
      const folder = found[at] ?? '';
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        // Such as .git, which changes all the time.
        if (entry.isDirectory() && !entry.name.startsWith('.'))
          found.push(join(folder, entry.name));
      }
    }
    return found;
  }

  /** Never fails: what cannot be seen is part of the print too. */
  private async takeFingerprint(): Promise<Fingerprint> {
    const found = new Map<string, string>();
    for (const folder of await this.folders()) {
      for (const name of await readdir(folder).catch(() => [])) {
        const path = join(folder, name);
        const file = await stat(path).catch(() => undefined);
        found.set(path, `${file?.mtimeMs} ${file?.size} ${file?.ino}`);
      }
    }
    return found;
  }
}

/** The paths that are in one of them alone, or other in both. */
function differing(one: Fingerprint, other: Fingerprint): readonly string[] {
  const paths = new Set([...one.keys(), ...other.keys()]);
  return [...paths].filter((path) => one.get(path) !== other.get(path));
}

async function sizeOf(path: string): Promise<number | undefined> {
  const file = await stat(path).catch(() => undefined);
  return file?.isFile() ? file.size : undefined;
}
