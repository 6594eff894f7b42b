import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { GitCommand } from '../../../lib/config-server/repositories/git-command.js';
import { GitObjects } from '../../../lib/config-server/repositories/git-objects.js';
import { GitOrigin } from './support/git-origin.js';

const MEGABYTE = 1024 * 1024;
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).toReversed()) end();
});

/** The objects of a real repository, and the runs of git that it took to read them. */
function objectsOf(files: Readonly<Record<string, string>>) {
  const origin = new GitOrigin(files);
  const git = new GitCommand(join(origin.path, '.git'), {});
  const runs: ChildProcessWithoutNullStreams[] = [];
  const start = (args: readonly string[]) => {
    const run = git.start(args);
    runs.push(run);
    return run;
  };
  const objects = new GitObjects({ start });
  ends.push(
    () => origin.remove(),
    () => objects.close(),
  );
  const read = async (name: string) => (await objects.read(name))?.bytes?.toString('utf8');
  return { origin, objects, runs, read };
}

describe('the objects of a git repository', () => {
  it('are read by one run of git, in order, however many are asked for at once', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => [`${at}.yml`, `${'é'.repeat(at * 50)}\n`]),
    );
    const { read, runs } = objectsOf(files);
    const asked = Object.keys(files).map((name) => read(`HEAD:${name}`));
    expect(await Promise.all(asked)).toEqual(Object.values(files));
    expect(await read('HEAD:0.yml')).toBe('\n');
    expect(runs).toHaveLength(1);
  });

  it('are there as soon as they are committed', async () => {
    const { origin, objects, runs } = objectsOf({ 'orders.yml': 'a: 1' });
    const first = await objects.read('HEAD^{commit}');
    const commit = origin.commit({ 'orders.yml': 'a: 2' });
    expect(first?.name).not.toBe(commit);
    expect(await objects.read('HEAD^{commit}')).toMatchObject({ name: commit });
    expect(runs).toHaveLength(1);
  });

  it('are undefined when nothing has that name, or too much has', async () => {
    const { read } = objectsOf({ 'orders.yml': 'a: 1' });
    for (const name of ['gone', 'HEAD:gone.yml', 'deadbeef^{commit}', '', 'HEAD^{tag}', 'a b c']) {
      expect(await read(name)).toBeUndefined();
    }
    expect(await read('HEAD:orders.yml')).toBe('a: 1');
  });

  it('have no bytes when they are too large, and keep nobody else from being answered', async () => {
    const large = 'x'.repeat(MEGABYTE);
    const { objects, read } = objectsOf({
      'small.yml': 'a: 1',
      'most.yml': large,
      'large.yml': `${large}x`,
    });
    const names = ['small.yml', 'large.yml', 'most.yml', 'large.yml', 'small.yml'];
    const found = await Promise.all(names.map((name) => objects.read(`HEAD:${name}`)));
    expect(found.map((each) => each?.bytes?.length)).toEqual([
      4,
      undefined,
      MEGABYTE,
      undefined,
      4,
    ]);
    expect(await read('HEAD:small.yml')).toBe('a: 1');
  });

  it('are read by another run when git has died, and its reason is told', async () => {
    const { origin, runs, read } = objectsOf({ 'orders.yml': 'a: 1' });
    expect(await read('HEAD:orders.yml')).toBe('a: 1');
    const asked = read('HEAD:orders.yml');
    runs[0]?.kill('SIGKILL');
    expect(await asked).toBe('a: 1');
    expect(await read('HEAD:orders.yml')).toBe('a: 1');
    rmSync(join(origin.path, '.git'), { recursive: true });
    runs.at(-1)?.kill('SIGKILL');
    await new Promise((resolve) => runs.at(-1)?.once('close', resolve));
    await expect(read('HEAD:orders.yml')).rejects.toMatchObject({
      code: 'ERR_CONFIG_REPOSITORY',
      message: expect.stringContaining('git cat-file failed: fatal: not a git repository'),
    });
  });

  it('cannot be read any more when they were closed, and leave no process behind', async () => {
    const { objects, runs, read } = objectsOf({ 'orders.yml': 'a: 1' });
    await read('HEAD');
    const ended = new Promise((resolve) => runs[0]?.once('close', resolve));
    objects.close();
    await ended;
    await expect(read('HEAD')).rejects.toThrow('The repository was closed.');
    expect(runs).toHaveLength(1);
  });
});
