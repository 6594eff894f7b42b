import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../../../lib/common/clock.js';
import { Live } from '../../../lib/common/live.js';
import { messageOf } from '../../../lib/common/errors.js';
import type { ConfigSnapshot } from '../../../lib/config-client/config-source.js';
import {
  configFile,
  type ConfigFileOptions,
} from '../../../lib/config-client/sources/file.source.js';
import { ConfigFolder } from '../../config-server/config-apps.js';
import { eventually } from '../../support/eventually.js';

const clock = new SystemClock();
const folders: ConfigFolder[] = [];
const lives: Live<ConfigSnapshot>[] = [];

function follow(
  name: string,
  files: Record<string, string>,
  options: ConfigFileOptions = {},
  profiles = ['prod', 'eu'],
) {
  const folder = new ConfigFolder(files);
  folders.push(folder);
  const path = join(folder.path, name);
  const source = configFile(path, options)({ clock });
  const errors: string[] = [];
  const live = new Live({
    clock,
    open: (signal) => source.watch({ name: 'orders', profiles }, signal),
    backoff: { most: 100 },
    onError: (error) => errors.push(messageOf(error).replaceAll(folder.path, '')),
  });
  lives.push(live);
  const layers = () =>
    (live.latest?.sources ?? []).map(({ name: layer, source: values }) => [
      layer.replace(`${folder.path}/`, ''),
      values,
    ]);
  return { folder, live, errors, layers };
}

afterEach(() => {
  for (const live of lives.splice(0)) live.close();
  for (const folder of folders.splice(0)) folder.remove();
});

describe('a file as a source of configuration', () => {
  it('has the files of its profiles above it, the last profile first, with file and line of each value', async () => {
    const { live, layers, folder } = follow('app.yml', {
      'app.yml':
        'a: 1\nb:\n  c: 1\n---\nspring.config.activate.on-profile: eu\na: eu\n---\nspring.config.activate.on-profile: us\na: us\n',
      'app-prod.yml': 'a: 2\n',
      'app-eu.yml': 'a: 3\n',
    });
    await live.ready();
    expect(layers()).toEqual([
      ['file:app-eu.yml', { a: 3 }],
      ['file:app-prod.yml', { a: 2 }],
      ['file:app.yml (document #1)', { 'spring.config.activate.on-profile': 'eu', a: 'eu' }],
      ['file:app.yml (document #0)', { a: 1, 'b.c': 1 }],
    ]);
    expect(live.current.sources[3]?.origins?.['b.c']).toBe(`file:${folder.path}/app.yml:3:6`);
  });

  it.each([
    ['app.json', '{"a":{"b":[1,2]}}', { 'a.b[0]': 1, 'a.b[1]': 2 }],
    ['app.properties', 'a.b=1\n', { 'a.b': '1' }],
    ['app.yaml', 'a.b: on\n', { 'a.b': true }],
  ])('reads %s', async (name, text, values) => {
    const { live, layers } = follow(name, { [name]: text });
    await live.ready();
    expect(layers()).toEqual([[`file:${name}`, values]]);
  });

  it('is not believed to be empty when it was emptied a moment ago, to be written', async () => {
    const { folder, live, layers } = follow('app.yml', { 'app.yml': 'a: 1\n', 'app-eu.yml': '' });
    await live.ready();
    const seen: unknown[] = [];
    live.onChange(() => seen.push(layers()));
    for (let round = 2; round < 6; round++) {
      const file = await open(join(folder.path, 'app.yml'), 'w');
      // So long nothing of it is on the disk.
      await new Promise((resolve) => setTimeout(resolve, 100));
      await file.writeFile(`a: ${round}\n`);
      await file.close();
      await eventually(() => expect(seen.at(-1)).toEqual([['file:app.yml', { a: round }]]));
    }
    expect(seen).toHaveLength(4);
    // In the end it is.
    folder.write('app.yml', '');
    await eventually(() => expect(seen.at(-1)).toEqual([]));
  });

  it('is heard of when it changes, by its writing and by its replacing, and when a profile file comes and goes', async () => {
    const { folder, live, layers } = follow('app.yml', { 'app.yml': 'a: 1\n' });
    await live.ready();
    folder.write('app.yml', 'a: 2\n');
    await eventually(() => expect(layers()).toEqual([['file:app.yml', { a: 2 }]]));
    folder.write('app-eu.yml', 'a: 3\n');
    await eventually(() => expect(layers()).toHaveLength(2));
    rmSync(join(folder.path, 'app-eu.yml'));
    await eventually(() => expect(layers()).toHaveLength(1));
  });

  it('that is broken changes nothing and says where; mended it counts again', async () => {
    const { folder, live, layers, errors } = follow('app.yml', { 'app.yml': 'a: 1\n' });
    await live.ready();
    folder.write('app.yml', 'a: 1\nb: [1\n');
    await eventually(() => expect(errors[0]).toMatch(/^file:\/app\.yml:\d: /));
    expect(layers()).toEqual([['file:app.yml', { a: 1 }]]);
    folder.write('app.yml', 'a: 4\n');
    await eventually(() => expect(layers()).toEqual([['file:app.yml', { a: 4 }]]), 2_000);
  });

  it.each<[string, string | Buffer, RegExp]>([
    ['the same key twice', 'a: 1\na: 2\n', /:2: "a" stands here a second time/],
    ['bytes that are not UTF-8', Buffer.from('a: 1\nb: \xff\n', 'latin1'), /:2: is not UTF-8/],
    [
      'a million laughs',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
        .split('')
        .map((n, i) => `${n}: &${n} [${`*${'abcdefgh'[i]},`.repeat(10)}]`)
        .join('\n')}\n`,
      /too large|more than/,
    ],
    ['a hundred levels', `a: ${'['.repeat(100)}1${']'.repeat(100)}\n`, /deeper than 64 levels/],
    ['more than a megabyte', `a: ${'x'.repeat(1024 * 1024)}\n`, /is larger than 1048576 bytes/],
    ['an unknown profile expression', 'spring.config.activate.on-profile: "a & (b"\n', /:1: /],
  ])(
    'refuses %s',
    async (_name, text, sentence) => {
      const { folder, errors, live } = follow('app.yml', { 'app.yml': 'ok: 1\n' });
      await live.ready();
      folder.write('app.yml', text);
      await eventually(() => expect(errors.at(-1)).toMatch(sentence), 20_000);
      expect(live.current.sources[0]?.source).toEqual({ ok: 1 });
    },
    25_000,
  );

  it('must be there, unless it is optional; then it may come later', async () => {
    const missing = follow('none.yml', {});
    await eventually(() =>
      expect(missing.errors[0]).toMatch(
        /^file:\/none\.yml: cannot be read: .*Create it, or make it optional$/,
      ),
    );
    const { folder, live, layers } = follow('later.yml', {}, { optional: true, poll: '50ms' });
    await live.ready();
    expect(layers()).toEqual([]);
    folder.write('later.yml', 'a: 1\n');
    await eventually(() => expect(layers()).toHaveLength(1));
  });

  it('needs an ending that is known', () => {
    expect(() => configFile('app.txt')).toThrow(
      "configFile is 'app.txt'. Give it an ending of .properties, .yml, .yaml, .json.",
    );
  });
});
