import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../common/clock.js';

/** A file is read when nothing has moved for so long, in ms: writers truncate first and write then. */
const QUIET = 40;
/** But somebody who never stops writing must not hide changes for longer than this. */
const LONGEST_QUIET = 400;

/** Beyond these the folder is not one of configuration files. */
const MOST_FOLDERS = 200;

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
  private watchers: FSWatcher[] = [];
  private stopPolling: (() => void) | undefined;
  private stopDelay: (() => void) | undefined;
  private noticedAt: number | undefined;
  private fingerprint = '';
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
    this.noticedAt = undefined;
    for (const watcher of this.watchers) watcher.close();
    this.watchers = [];
  }

  /** Watches every folder by itself; recursive watching is not to be had everywhere. */
  private async listen(): Promise<void> {
    const folders = await this.folders();
    for (const watcher of this.watchers) watcher.close();
    this.watchers = [];
    if (this.users === 0) return;
    for (const folder of folders) {
      try {
        const watcher = watch(folder, { persistent: false }, () => this.notice());
        // Such as a folder that was deleted; the comparison goes on.
        watcher.on('error', () => watcher.close());
        this.watchers.push(watcher);
      } catch {
        // Out of watches, or gone again: the comparison sees it too.
      }
    }
  }

  private notice(): void {
    const now = this.clock.now();
    this.noticedAt ??= now;
    if (now - this.noticedAt > LONGEST_QUIET) return;
    this.stopDelay?.();
    this.stopDelay = this.clock.after(QUIET, () => {
      this.noticedAt = undefined;
      this.generation++;
      for (const wake of this.waiting) wake();
      // There may be new folders.
      void this.listen();
    });
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    const before = this.fingerprint;
    this.fingerprint = await this.takeFingerprint();
    this.looking = false;
    if (this.users > 0 && before !== this.fingerprint) this.notice();
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
  private async takeFingerprint(): Promise<string> {
    const parts: string[] = [];
    for (const folder of await this.folders()) {
      for (const name of await readdir(folder).catch(() => [])) {
        const file = await stat(join(folder, name)).catch(() => undefined);
        parts.push(`${folder}/${name} ${file?.mtimeMs} ${file?.size} ${file?.ino}`);
      }
    }
    return parts.join('\n');
  }
}
