import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { RepositoryError } from '../config-server.errors.js';
import { MOST_BYTES } from './config-file.js';
import { type GitCommand, lastLine } from './git-command.js';

/** An object of a git repository: the contents of a file, a directory, or a commit. */
export interface GitObject {
  /** Its whole name, in hexadecimal digits. */
  readonly name: string;
  /** Absent when there are more than may be read. */
  readonly bytes?: Buffer;
}

interface Wanted {
  readonly name: string;
  readonly resolve: (object: GitObject | undefined) => void;
  readonly reject: (error: unknown) => void;
  /** Asked for a second time. */
  readonly again?: boolean;
}

/** A directory of so many files is no longer one of configuration; in bytes. */
const MOST_OF_FOLDER = 16 * MOST_BYTES;

/**
 * The objects of a repository, read in a conversation with one `git cat-file --batch` that stays: to start the program anew
 * for each of them would take most of the time that a change needs.
 */
export class GitObjects {
  private running: Conversation | undefined;
  private closed = false;

  constructor(private readonly git: Pick<GitCommand, 'start'>) {}

  /** An object by its name, or by an expression such as `deadbeef^{commit}`; `undefined` when there is none. */
  read(name: string): Promise<GitObject | undefined> {
    return new Promise((resolve, reject) => this.ask({ name, resolve, reject }));
  }

  close(): void {
    this.closed = true;
    this.running?.end();
  }

  private ask(wanted: Wanted): void {
    if (this.closed) return wanted.reject(new RepositoryError('The repository was closed.'));
    this.running ??= this.begin();
    this.running.ask(wanted);
  }

  private begin(): Conversation {
    return new Conversation(this.git.start(['cat-file', '--batch']), {
      ended: (conversation) => {
        if (this.running === conversation) this.running = undefined;
      },
      again: (wanted) => this.ask(wanted),
    });
  }
}

interface Owner {
  readonly ended: (conversation: Conversation) => void;
  /** Asks for what a conversation that had to end left open. */
  readonly again: (wanted: Wanted) => void;
}

/** One run of the program: names go in, one on a line, and come back in order with what they name. */
class Conversation {
  private wanted: Wanted[] = [];
  private head = '';
  private body:
    { readonly name: string; readonly size: number; read: number; chunks: Buffer[] } | undefined;
  private said = '';

  constructor(
    private readonly git: ChildProcessWithoutNullStreams,
    private readonly owner: Owner,
  ) {
    git.stdout.on('data', (chunk: Buffer) => this.take(chunk));
    git.stderr.on('data', (chunk: Buffer) => (this.said = (this.said + chunk).slice(-4_000)));
    git.stdin.on('error', () => undefined);
    git.on('error', ({ message }) => (this.said = message));
    git.on('close', () => this.lost());
    // It waits as long as the application lives, and must not keep it alive.
    git.unref();
    for (const stream of [git.stdin, git.stderr]) (stream as Partial<Held>).unref?.();
  }

  ask(wanted: Wanted): void {
    (this.git.stdout as Partial<Held>).ref?.();
    this.wanted.push(wanted);
    this.git.stdin.write(`${wanted.name}\n`);
  }

  end(): void {
    this.owner.ended(this);
    this.git.kill('SIGKILL');
  }

  private lost(): void {
    this.owner.ended(this);
    const error = new RepositoryError(`git cat-file failed: ${lastLine(this.said)}`);
    // A run that was ended from outside is no failure of the repository; a second one that ends is.
    for (const wanted of this.wanted.splice(0)) {
      if (wanted.again) wanted.reject(error);
      else this.owner.again({ ...wanted, again: true });
    }
  }

  private take(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0;) rest = this.body ? this.fill(rest) : this.begin(rest);
    if (this.wanted.length === 0) (this.git.stdout as Partial<Held>).unref?.();
  }

  /** Reads the line before an object: its name, its type and its size; or why there is none. */
  private begin(chunk: Buffer): Buffer {
    const end = chunk.indexOf(0x0a);
    this.head += chunk.toString('latin1', 0, end === -1 ? chunk.length : end);
    if (end === -1) return chunk.subarray(chunk.length);
    const [, name, type, digits = ''] = /^([0-9a-f]{40,64}) ([a-z]+) (\d+)$/.exec(this.head) ?? [];
    this.head = '';
    const size = Number(digits);
    if (name === undefined) this.wanted.shift()?.resolve(undefined);
    else if (size > (type === 'tree' ? MOST_OF_FOLDER : MOST_BYTES)) return this.refuse(name);
    else this.body = { name, size, read: 0, chunks: [] };
    return chunk.subarray(end + 1);
  }

  /** Gathers an object, and the line's end behind it. */
  private fill(chunk: Buffer): Buffer {
    const { body } = this;
    if (!body) return chunk;
    const part = chunk.subarray(0, body.size + 1 - body.read);
    body.chunks.push(part);
    body.read += part.length;
    if (body.read === body.size + 1) {
      this.body = undefined;
      const bytes = Buffer.concat(body.chunks).subarray(0, body.size);
      this.wanted.shift()?.resolve({ name: body.name, bytes });
    }
    return chunk.subarray(part.length);
  }

  /** What is too large is not worth to be read to its end: another run answers the rest. */
  private refuse(name: string): Buffer {
    this.wanted.shift()?.resolve({ name });
    const rest = this.wanted.splice(0);
    this.git.stdout.removeAllListeners('data').resume();
    this.end();
    for (const wanted of rest) this.owner.again(wanted);
    return Buffer.alloc(0);
  }
}

/** What a pipe is beneath: it can be kept from keeping the process alive. */
interface Held {
  ref(): void;
  unref(): void;
}
