import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Clock } from '../../common/clock.js';
import { NoSuchLabelError } from '../config-server.errors.js';
import { GitCommand } from './git-command.js';
import { GitObjects } from './git-objects.js';
import { type GitSettings, splitCredentials } from './git-options.js';
import { GitTree } from './git-tree.js';

/** So many commits are kept open; each is a list of its files and what was read of them. */
const MOST_TREES = 32;

/** Branches, tags and the commits they name. */
export type GitRefs = ReadonlyMap<string, string>;

/** A bare copy of a git repository: no work tree, so that any number of labels are read at once. */
export class GitMirror {
  private readonly trees = new Map<string, Promise<GitTree>>();
  private readonly address: string;
  private opening: Promise<GitCommand> | undefined;
  private objects: GitObjects | undefined;
  private directory: string | undefined;
  /** When the remote was last reached, in ms since 1970; `undefined` when it never was. */
  fetchedAt: number | undefined;

  constructor(
    private readonly settings: GitSettings,
    private readonly clock: Clock,
  ) {
    this.address = splitCredentials(settings).address;
  }

  /** Brings what is new, and says what every branch and tag is now. */
  async fetch(signal: AbortSignal): Promise<GitRefs> {
    await this.startOverIfGone();
    const git = await this.open(signal);
    const limit = this.clock.deadline(this.settings.timeout, signal);
    const specs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
    const flags = ['--quiet', '--prune', '--force', '--no-tags', '--no-recurse-submodules'];
    try {
      await git.run({
        args: ['fetch', ...flags, '--end-of-options', this.address, ...specs],
        signal: limit.signal,
      });
    } finally {
      limit.cancel();
    }
    this.fetchedAt = this.clock.wallTime();
    return this.refs(signal);
  }

  /** What is known without asking the remote. */
  async refs(signal: AbortSignal): Promise<GitRefs> {
    const git = await this.open(signal);
    const format = '%(refname)%00%(objectname)%00%(*objectname)';
    const listing = await git.run({ args: ['for-each-ref', `--format=${format}`], signal });
    const refs = new Map<string, string>();
    for (const line of listing.toString('utf8').split('\n')) {
      // An annotated tag is an object of its own; the second name is the commit's.
      const [name = '', object = '', commit] = line.split('\0');
      if (name !== '') refs.set(name, commit || object);
    }
    return refs;
  }

  /** The commit of a branch, a tag, or a commit's own name, also a short one. */
  async commit(refs: GitRefs, label: string, signal: AbortSignal): Promise<string> {
    const known = refs.get(`refs/heads/${label}`) ?? refs.get(`refs/tags/${label}`);
    if (known !== undefined) return known;
    if (!/^[0-9a-f]{7,64}$/.test(label)) throw new NoSuchLabelError(label);
    const found = await (await this.reader(signal)).read(`${label}^{commit}`);
    if (!found) throw new NoSuchLabelError(label);
    return found.name;
  }

  /** The files of a commit. */
  tree(commit: string, signal: AbortSignal): Promise<GitTree> {
    const known = this.trees.get(commit);
    if (known) return known;
    const reading = this.read(commit, signal);
    if (this.trees.size >= MOST_TREES) this.trees.delete(this.trees.keys().next().value ?? '');
    this.trees.set(commit, reading);
    reading.catch(() => this.trees.delete(commit));
    return reading;
  }

  /** Removes the mirror, unless it was to stay. */
  async close(): Promise<void> {
    this.objects?.close();
    if (this.settings.mirror === undefined && this.directory !== undefined) {
      await rm(this.directory, { recursive: true, force: true });
    }
  }

  private async read(commit: string, signal: AbortSignal): Promise<GitTree> {
    const objects = await this.reader(signal);
    const text = (await objects.read(`${commit}^{commit}`))?.bytes?.toString('utf8') ?? '';
    const [, root] = /^tree ([0-9a-f]+)\n/.exec(text) ?? [];
    if (root === undefined) throw new NoSuchLabelError(commit);
    const [, seconds] = /^committer .* (\d+) [+-]\d{4}$/m.exec(text) ?? [];
    return new GitTree({ root, modified: Number(seconds ?? 0) * 1_000, objects });
  }

  private async reader(signal: AbortSignal): Promise<GitObjects> {
    const git = await this.open(signal);
    return (this.objects ??= new GitObjects(git));
  }

  /** Somebody may have removed it, such as a cleaner of temporary files. */
  private async startOverIfGone(): Promise<void> {
    const { directory } = this;
    if (directory === undefined || !this.opening) return;
    if (await stat(join(directory, 'HEAD')).catch(() => undefined)) return;
    this.opening = undefined;
    this.objects?.close();
    this.objects = undefined;
    this.trees.clear();
    // Its old place may be a stranger's by now.
    if (this.settings.mirror === undefined) this.directory = undefined;
  }

  private open(signal: AbortSignal): Promise<GitCommand> {
    this.opening ??= this.create(signal);
    const opening = this.opening;
    opening.catch(() => (this.opening = undefined));
    return opening;
  }

  private async create(signal: AbortSignal): Promise<GitCommand> {
    const { mirror } = this.settings;
    this.directory ??=
      mirror === undefined ? await mkdtemp(join(tmpdir(), 'rookery-git-')) : resolve(mirror);
    const git = new GitCommand(this.directory, splitCredentials(this.settings).environment);
    // Git writes this file with every fetch.
    const left = await stat(join(this.directory, 'FETCH_HEAD')).catch(() => undefined);
    this.fetchedAt ??= left?.mtimeMs;
    // Does nothing to one that is there already.
    await git.run({
      args: ['init', '--quiet', '--bare', '--end-of-options', this.directory],
      signal,
    });
    return git;
  }
}
