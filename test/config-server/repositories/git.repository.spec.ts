import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { GitRepositoryOptions } from '../../../lib/config-server/repositories/git-options.js';
import {
  type GitRepository,
  gitRepository,
} from '../../../lib/config-server/repositories/git.repository.js';
import { eventually } from '../../support/eventually.js';
import { firstOf, Following, namesOf } from './support/following.js';
import { GitOrigin } from './support/git-origin.js';

const following = new Following();
const origins: GitOrigin[] = [];
const repositories: GitRepository[] = [];
const folders: string[] = [];

function origin(files: Readonly<Record<string, string>>, branch?: string): GitOrigin {
  const made = new GitOrigin(files, branch);
  origins.push(made);
  return made;
}

function repository(url: string, options: Partial<GitRepositoryOptions> = {}): GitRepository {
  const made = gitRepository({ url, ...options });
  repositories.push(made);
  return made;
}

/** The temporary mirrors of a repository; git writes into them where it has fetched from. */
function mirrorsOf(path: string): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => {
    const file = join(tmpdir(), name, 'FETCH_HEAD');
    return (
      name.startsWith('rookery-git-') &&
      existsSync(file) &&
      readFileSync(file, 'utf8').includes(path)
    );
  });
}

afterEach(async () => {
  following.stop();
  for (const each of repositories.splice(0)) await each.close();
  for (const each of origins.splice(0)) each.remove();
  for (const each of folders.splice(0)) rmSync(each, { recursive: true, force: true });
});

describe('a git repository', () => {
  it('has the layers of Spring, the commit as its version, and main as its label', async () => {
    const { path } = origin({
      'application.yml': 'a: 1',
      'orders.yml': 'b: 1\n---\nspring.config.activate.on-profile: prod\nb: 2',
      'orders-prod.yml': 'c: {d: 1}',
    });
    const snapshot = await firstOf(repository(path), 'orders', ['prod']);
    expect(namesOf(snapshot)).toEqual([
      'git:orders-prod.yml',
      'git:orders.yml (document #1)',
      'git:orders.yml (document #0)',
      'git:application.yml',
    ]);
    expect(snapshot.sources[0]?.origins).toEqual({ 'c.d': 'git:orders-prod.yml:1:8' });
    expect(snapshot).toMatchObject({
      label: 'main',
      version: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
    expect(snapshot.stale).toBeUndefined();
  });

  it('falls back to master, unless another default is named', async () => {
    const { path } = origin({ 'orders.yml': 'a: 1' }, 'master');
    expect(await firstOf(repository(path), 'orders')).toMatchObject({ label: 'master' });
    await expect(firstOf(repository(path, { defaultLabel: 'trunk' }), 'orders')).rejects.toThrow(
      'The repository has no branch, tag or commit "trunk".',
    );
  });

  it('takes branches, tags, commits and several of them as labels', async () => {
    const source = origin({ 'orders.yml': 'a: main' });
    const first = source.git('rev-parse', 'HEAD');
    source.git('tag', '--annotate', '--message', 'x', 'v1.0');
    source.git('checkout', '--quiet', '-b', 'feature/x');
    source.commit({ 'orders.yml': 'a: feature', 'only.yml': 'b: 1' });
    const repo = repository(source.path, { refresh: '1h' });
    // While one watches, all are answered from what it has fetched.
    following.follow(repo, 'orders');
    const value = async (label?: string) =>
      (await firstOf(repo, 'orders', ['default'], label)).sources.map(({ source }) => source['a']);
    expect(await value()).toEqual(['main']);
    expect(await value('feature/x')).toEqual(['feature']);
    expect(await value('v1.0')).toEqual(['main']);
    expect(await value(first)).toEqual(['main']);
    expect(await value(first.slice(0, 8))).toEqual(['main']);
    expect(await value('feature/x,main')).toEqual(['feature', 'main']);
    for (const label of [
      'gone',
      '-x',
      'deadbeef',
      'HEAD',
      'FETCH_HEAD',
      'main~1',
      'refs/heads/main',
    ]) {
      await expect(value(label)).rejects.toMatchObject({ code: 'ERR_CONFIG_LABEL', status: 404 });
    }
  });

  it('looks into search paths, also with placeholders and stars', async () => {
    const { path } = origin({
      'orders.yml': 'a: root',
      'shared/orders.yml': 'a: shared',
      'teams/red/orders.yml': 'a: red',
      'teams/blue/orders.yml': 'a: blue',
      'apps/orders/orders.yml': 'a: own',
      'prod/orders.yml': 'a: prod',
    });
    const searchPaths = ['shared', 'teams/*', 'apps/{application}', '{profile}/'];
    const snapshot = await firstOf(repository(path, { searchPaths }), 'orders', ['prod']);
    expect(snapshot.sources.map(({ source }) => source['a'])).toEqual([
      'prod',
      'own',
      'red',
      'blue',
      'shared',
      'root',
    ]);
    for (const wrong of ['../x', '/etc', 'a/../b', '.git', '-x{', 'a//b', '']) {
      expect(() => gitRepository({ url: path, searchPaths: [wrong] })).toThrow(
        'gitRepository.searchPaths',
      );
    }
  });

  it('notices a push at its interval, and at once when it is told to', async () => {
    const source = origin({ 'orders.yml': 'a: 1' });
    const repo = repository(source.path, { refresh: '1h' });
    const { seen } = following.follow(repo, 'orders');
    await eventually(() => expect(seen).toHaveLength(1));
    const commit = source.commit({ 'orders.yml': 'a: 2' });
    await repo.refresh();
    await eventually(() => expect(seen.at(-1)?.sources[0]?.source).toEqual({ a: 2 }));
    expect(seen.at(-1)?.version).toBe(commit);
    const often = repository(source.path, { refresh: '1s' });
    const other = following.follow(often, 'orders').seen;
    await eventually(() => expect(other).toHaveLength(1));
    source.commit({ 'orders.yml': 'a: 3' });
    await eventually(() => expect(other.at(-1)?.sources[0]?.source).toEqual({ a: 3 }), 4_000);
  });

  it('gives out its last state, and says since when, while the remote is away', async () => {
    const source = origin({ 'orders.yml': 'a: 1' });
    const repo = repository(source.path, { refresh: '1h' });
    const { seen, failures } = following.follow(repo, 'orders');
    await eventually(() => expect(seen).toHaveLength(1));
    source.hide();
    await repo.refresh();
    await eventually(() => expect(seen.at(-1)?.stale).toBeDefined());
    expect(seen.at(-1)).toMatchObject({
      sources: [{ source: { a: 1 } }],
      stale: {
        since: expect.stringMatching(/^\d{4}-/),
        reason: expect.stringContaining('git fetch failed: fatal:'),
      },
    });
    source.show();
    source.commit({ 'orders.yml': 'a: 2' });
    await repo.refresh();
    await eventually(() => expect(seen.at(-1)?.sources[0]?.source).toEqual({ a: 2 }));
    expect(seen.at(-1)?.stale).toBeUndefined();
    expect(failures).toEqual([]);
  });

  it('starts from a mirror that was left, while the remote is away', async () => {
    const source = origin({ 'orders.yml': 'a: 1' });
    const mirror = mkdtempSync(join(tmpdir(), 'rookery-mirror-'));
    folders.push(mirror);
    await firstOf(repository(source.path, { mirror }), 'orders');
    source.hide();
    const again = await firstOf(repository(source.path, { mirror }), 'orders');
    expect(again).toMatchObject({ sources: [{ source: { a: 1 } }], stale: {} });
    await expect(firstOf(repository(source.path), 'orders')).rejects.toMatchObject({
      code: 'ERR_CONFIG_REPOSITORY',
    });
    await repositories.at(-2)?.close();
    expect(existsSync(mirror)).toBe(true);
  });

  it('follows a branch that was moved by force, and forgets one that is gone', async () => {
    const source = origin({ 'orders.yml': 'a: 1' });
    source.git('branch', 'old');
    const repo = repository(source.path, { refresh: '1h' });
    const main = following.follow(repo, 'orders').seen;
    const old = following.follow(repo, 'orders', ['default'], 'old');
    await eventually(() => expect([main.length, old.seen.length]).toEqual([1, 1]));
    source.write('orders.yml', 'a: 2');
    source.git('commit', '--quiet', '--all', '--amend', '--message', 'other');
    source.git('branch', '--delete', '--force', 'old');
    await repo.refresh();
    await eventually(() => expect(main.at(-1)?.sources[0]?.source).toEqual({ a: 2 }));
    await eventually(() => expect(old.failures).toMatchObject([{ code: 'ERR_CONFIG_LABEL' }]));
  });

  it('gives out files of the label, that of the profile first', async () => {
    const { path } = origin({ 'nginx.conf': 'plain', 'nginx-prod.conf': 'prod', 'sub/x.txt': 'x' });
    const repo = repository(path);
    const text = async (file: string, profiles: readonly string[]) => {
      const query = { application: 'orders', profiles, label: undefined, path: file };
      return (await repo.resource(query, new AbortController().signal))?.bytes.toString();
    };
    expect(await text('nginx.conf', ['eu', 'prod'])).toBe('prod');
    expect(await text('nginx.conf', ['default'])).toBe('plain');
    expect(await text('sub/x.txt', ['prod'])).toBe('x');
    expect(await text('gone.txt', ['prod'])).toBeUndefined();
  });

  it('follows links inside of a commit, and refuses those that lead out', async () => {
    const source = origin({ 'real.yml': 'a: 1' });
    symlinkSync('real.yml', join(source.path, 'orders.yml'));
    symlinkSync('/etc/hostname', join(source.path, 'stock.yml'));
    symlinkSync('../../outside.yml', join(source.path, 'cart.yml'));
    symlinkSync('loop.yml', join(source.path, 'loop.yml'));
    source.commit({});
    const repo = repository(source.path);
    expect((await firstOf(repo, 'orders')).sources[0]?.source).toEqual({ a: 1 });
    for (const name of ['stock', 'cart']) {
      await expect(firstOf(repo, name)).rejects.toThrow(`${name}.yml: leads out of the repository`);
    }
    await expect(firstOf(repo, 'loop')).rejects.toThrow('loop.yml: is a link that goes round');
  });

  it('refuses a broken file with its line', async () => {
    const { path } = origin({ 'orders.yml': 'a: 1\nb: [' });
    await expect(firstOf(repository(path), 'orders')).rejects.toThrow('orders.yml:2: ');
  });

  it.each([
    '--upload-pack=touch /tmp/x',
    '-x',
    'ext::sh -c touch% /tmp/x',
    'https://-oProxyCommand=x/y',
    'ssh://-oProxyCommand=x/y',
    'git@-oProxyCommand:x',
    'host:--upload-pack=x',
    'javascript:alert(1)',
    '',
  ])('refuses the address %j before git sees it', (url) => {
    expect(() => gitRepository({ url })).toThrow('gitRepository.url');
  });

  it('shows no password, and gives none to the list of processes', async () => {
    const url = 'https://user:hunter22@127.0.0.1:1/config.git';
    const failed = firstOf(repository(url, { timeout: '5s' }), 'orders');
    await expect(failed).rejects.toThrow('git fetch failed');
    await expect(failed).rejects.not.toThrow('hunter22');
  });

  it('makes another mirror when somebody has removed it', async () => {
    const source = origin({ 'orders.yml': 'a: 1' });
    const repo = repository(source.path, { refresh: '1h' });
    const { seen, failures } = following.follow(repo, 'orders');
    await eventually(() => expect(seen).toHaveLength(1));
    for (const name of mirrorsOf(source.path)) rmSync(join(tmpdir(), name), { recursive: true });
    const commit = source.commit({ 'orders.yml': 'a: 2' });
    await repo.refresh();
    await eventually(() => expect(seen.at(-1)).toMatchObject({ version: commit }));
    expect(failures).toEqual([]);
    expect(mirrorsOf(source.path)).toHaveLength(1);
  });

  it('finds the commit behind tags of tags, and none behind a tag of a file', async () => {
    const source = origin({ 'orders.yml': 'a: 1' });
    const tag = (name: string, of: string) =>
      source.git('tag', '--annotate', '--message', 'x', name, of);
    tag('inner', 'HEAD');
    tag('outer', 'inner');
    tag('file', 'HEAD:orders.yml');
    const repo = repository(source.path);
    const snapshot = await firstOf(repo, 'orders', ['default'], 'outer');
    expect(snapshot.sources[0]?.source).toEqual({ a: 1 });
    await expect(firstOf(repo, 'orders', ['default'], 'file')).rejects.toMatchObject({
      code: 'ERR_CONFIG_LABEL',
    });
  });

  it('removes its mirror when it is closed', async () => {
    const { path } = origin({ 'orders.yml': 'a: 1' });
    const repo = gitRepository({ url: path });
    await firstOf(repo, 'orders');
    expect(mirrorsOf(path)).toHaveLength(1);
    await repo.close();
    expect(mirrorsOf(path)).toEqual([]);
  });
});
