import {
  createCipheriv,
  createDecipheriv,
  randomBytes,
  randomUUID,
  scrypt as scryptCallback,
} from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { SnapshotError } from './config-client.errors.js';
import type { ConfigRequest, ConfigSnapshot } from './config-source.js';
import { readConfigAnswer } from './sources/config-answer.js';

/** Where the last good configuration is kept, and the secret that encrypts it. */
export interface SnapshotSettings {
  readonly path: string;
  readonly key: string;
}

const scrypt = promisify<string, Buffer, number, Buffer>(scryptCallback);

/** How our files begin; the digit is the version of the format. */
const MARK = Buffer.from('ROOKERY1');
/** In bytes: what scrypt salts with, the nonce of GCM (NIST SP 800-38D, 5.2.1.1) and its tag. */
const SALT = 16;
const NONCE = 12;
const TAG = 16;

/**
 * The last good configuration in a file, so that a service can start while its config server is away.
 *
 * The file is encrypted (AES-256-GCM, its key made from a secret by scrypt), readable by its owner alone, replaced in one
 * step, and belongs to one application, its profiles and label. `{cipher}` values stay encrypted within.
 */
export class SnapshotFile {
  private last: Promise<void> = Promise.resolve();
  private derived: Promise<{ readonly salt: Buffer; readonly key: Buffer }> | undefined;

  constructor(
    private readonly settings: SnapshotSettings,
    private readonly request: ConfigRequest,
  ) {}

  /**
   * What the file holds, or `undefined` when there is none.
   *
   * @throws SnapshotError when it is there and cannot be used: another key, another application, broken
   */
  async read(): Promise<ConfigSnapshot | undefined> {
    const { path } = this.settings;
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new SnapshotError(path, `cannot be read (${error.code ?? 'unknown reason'})`);
    });
    if (!bytes) return undefined;
    const text = await this.opened(bytes);
    const { name, profiles, asked } = JSON.parse(text) as Record<string, unknown>;
    if (JSON.stringify({ name, profiles, asked }) !== JSON.stringify(this.stamp())) {
      throw new SnapshotError(
        path,
        'belongs to another application, profile or label. Give each its own path',
      );
    }
    return readConfigAnswer(text, path);
  }

  /** Keeps a snapshot; one after the other, so that the newest stays. */
  write(snapshot: ConfigSnapshot): Promise<void> {
    const replace = () => this.replace(snapshot);
    this.last = this.last.then(replace, replace);
    return this.last;
  }

  private async opened(bytes: Buffer): Promise<string> {
    const { path, key: secret } = this.settings;
    if (
      bytes.length < MARK.length + SALT + NONCE + TAG ||
      !bytes.subarray(0, MARK.length).equals(MARK)
    ) {
      throw new SnapshotError(path, 'is no encrypted snapshot. Remove it');
    }
    let at = MARK.length;
    const take = (length: number) => bytes.subarray(at, (at += length));
    const [salt, nonce, tag] = [take(SALT), take(NONCE), take(TAG)];
    const key = await scrypt(secret, salt, 32);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(tag).setAAD(MARK);
    try {
      const text = Buffer.concat([decipher.update(bytes.subarray(at)), decipher.final()]);
      return text.toString('utf8');
    } catch {
      throw new SnapshotError(
        path,
        'does not open with this key, or is damaged. Give config.snapshot.key (or CONFIG_SNAPSHOT_KEY) the key it was written with, or remove the file',
      );
    }
  }

  private async replace({ sources, version, label }: ConfigSnapshot): Promise<void> {
    const { path } = this.settings;
    const propertySources = sources.map(({ name, source, origins }) => ({
      name,
      source: Object.fromEntries(
        Object.entries(source).map(([key, value]) => [
          key,
          { value, origin: origins?.[key] ?? null },
        ]),
      ),
    }));
    const text = JSON.stringify({ ...this.stamp(), version, label, propertySources });
    // One key for the life of the process, a new nonce for each write.
    this.derived ??= derive(this.settings.key);
    const { salt, key } = await this.derived;
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(MARK);
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    const beside = `${path}.${randomUUID()}`;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      const bytes = Buffer.concat([MARK, salt, nonce, cipher.getAuthTag(), body]);
      const file = await open(beside, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        // A name that is there after a power failure must not stand for an empty file.
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(beside, path);
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

async function derive(secret: string) {
  const salt = randomBytes(SALT);
  return { salt, key: await scrypt(secret, salt, 32) };
}
