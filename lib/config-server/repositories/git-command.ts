import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { RepositoryError } from '../config-server.errors.js';

/** One run of the git program. */
export interface GitRun {
  readonly args: readonly string[];
  readonly signal: AbortSignal;
}

/** More than this of an answer is not read, in bytes. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Never a helper that somebody's address names, such as `ext::sh -c …`. */
const PROTOCOLS = 'file:git:http:https:ssh';

/** The git program, run without a shell in one repository; it never asks for anything. */
export class GitCommand {
  constructor(
    private readonly directory: string,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  /**
   * What git writes.
   *
   * @throws RepositoryError with git's own last line when it fails, without the addresses and passwords in it
   */
  run({ args, signal }: GitRun): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const git = this.start(args, signal);
      const chunks: Buffer[] = [];
      let size = 0;
      let said = '';
      git.stdout.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MOST_BYTES) git.kill('SIGKILL');
        else chunks.push(chunk);
      });
      git.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
      git.on('error', (cause) => reject(failed(args, reasonOf(cause, signal), cause)));
      git.on('close', (code) => {
        if (code === 0 && size <= MOST_BYTES) resolve(Buffer.concat(chunks));
        else reject(failed(args, size > MOST_BYTES ? 'answered too much' : lastLine(said)));
      });
      git.stdin.on('error', () => undefined).end();
    });
  }

  /** The program at work; for a conversation with it. */
  start(args: readonly string[], signal?: AbortSignal): ChildProcessWithoutNullStreams {
    return spawn('git', ['--git-dir', this.directory, ...SETTINGS, ...args], {
      env: {
        ...process.env,
        GIT_TERMINAL_PROMPT: '0',
        GIT_ASKPASS: '',
        SSH_ASKPASS: '',
        GIT_SSH_COMMAND: process.env['GIT_SSH_COMMAND'] ?? 'ssh -oBatchMode=yes',
        GIT_ALLOW_PROTOCOL: PROTOCOLS,
        GIT_OPTIONAL_LOCKS: '0',
        LC_ALL: 'C',
        ...this.environment,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(signal ? { signal } : {}),
      killSignal: 'SIGKILL',
    });
  }
}

/** No hooks, no maintenance in the background, no rewriting of what is read. */
const SETTINGS = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'gc.auto=0',
  '-c',
  'maintenance.auto=false',
  '-c',
  'fetch.writeCommitGraph=false',
  '-c',
  'core.fsmonitor=false',
];

function failed(args: readonly string[], reason: string, cause?: unknown): RepositoryError {
  const command = args.find((arg) => /^[a-z]+(?:-[a-z]+)*$/.test(arg)) ?? 'git';
  return new RepositoryError(`git ${command} failed: ${reason}`, cause);
}

function reasonOf(cause: Error, signal: AbortSignal): string {
  if (signal.aborted) return signal.reason instanceof Error ? signal.reason.message : 'stopped';
  return (cause as NodeJS.ErrnoException).code === 'ENOENT'
    ? 'there is no git program. Install git, or put it on the PATH.'
    : cause.message;
}

/** The line that says most; an address in it may carry a password. */
export function lastLine(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const fatal = lines.find((line) => /^(?:fatal|error|remote):/i.test(line)) ?? lines.at(-1);
  return (fatal ?? 'no reason given').replaceAll(/\/\/[^/@\s']*@/g, '//').slice(0, 300);
}
