import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ConfigRequest, ConfigSnapshot } from './config-source.js';
import { readConfigAnswer } from './sources/config-answer.js';

/**
 * The last good configuration in a file, so that a service can start while its config server is away.
 *
 * The file is readable by its owner alone, is replaced in one step, and belongs to one application, its profiles and label.
 */
export class SnapshotFile {
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly path: string,
    private readonly request: ConfigRequest,
  ) {}

  /** What the file holds, or `undefined` when it is not there, broken, or another application's. */
  async read(): Promise<ConfigSnapshot | undefined> {
    try {
      const text = await readFile(this.path, 'utf8');
      const { name, profiles, asked } = JSON.parse(text) as Record<string, unknown>;
      const ours = this.stamp();
      const same = JSON.stringify({ name, profiles, asked }) === JSON.stringify(ours);
      return same ? readConfigAnswer(text, this.path) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps a snapshot; one after the other, so that the newest stays. */
  write(snapshot: ConfigSnapshot): Promise<void> {
    this.last = this.last.then(
      () => this.replace(snapshot),
      () => this.replace(snapshot),
    );
    return this.last;
  }

  private async replace({ sources, version, label }: ConfigSnapshot): Promise<void> {
    const propertySources = sources.map(({ name, source }) => ({ name, source }));
    const text = JSON.stringify({ ...this.stamp(), version, label, propertySources });
    const beside = `${this.path}.${randomUUID()}`;
    await mkdir(dirname(this.path), { recursive: true });
    try {
      await writeFile(beside, text, { mode: 0o600, flag: 'wx' });
      await rename(beside, this.path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }

  private stamp() {
    const { name, profiles, label } = this.request;
    return { name, profiles, asked: label ?? null };
  }
}
