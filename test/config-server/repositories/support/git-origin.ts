import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A real git repository with a work tree, which a config server reads from afar. */
export class GitOrigin {
  readonly path = mkdtempSync(join(tmpdir(), 'rookery-origin-'));

  constructor(files: Readonly<Record<string, string>> = {}, branch = 'main') {
    this.git('init', '--quiet', '--initial-branch', branch);
    this.commit(files);
  }

  /** Runs git here; gives what it writes. */
  git(...args: string[]): string {
    const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org'];
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    return execFileSync('git', ['-C', this.path, ...identity, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env,
    }).trim();
  }

  write(name: string, text: string): void {
    const file = join(this.path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** Writes files, commits everything, and gives the commit. */
  commit(files: Readonly<Record<string, string>>): string {
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '--message', 'change');
    return this.git('rev-parse', 'HEAD');
  }

  /** Takes the repository away, and puts it back. */
  hide(): void {
    renameSync(this.path, `${this.path}.away`);
  }

  show(): void {
    renameSync(`${this.path}.away`, this.path);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
    rmSync(`${this.path}.away`, { recursive: true, force: true });
  }
}
