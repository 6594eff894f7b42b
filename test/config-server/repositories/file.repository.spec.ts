import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidOptionsError } from '../../../lib/common/errors.js';
import type { RepositorySnapshot } from '../../../lib/config-server/config-repository.js';
import {
  FileRepository,
  fileRepository,
} from '../../../lib/config-server/repositories/file.repository.js';
import { eventually } from '../../support/eventually.js';
import { ConfigFolder } from '../config-apps.js';

let folder: ConfigFolder;
const stops: AbortController[] = [];

/** The first snapshot. */
async function read(
  application: string,
  profiles: readonly string[] = ['default'],
  label?: string,
): Promise<RepositorySnapshot> {
  const stop = new AbortController();
  const watch = fileRepository({ path: folder.path }).watch(
    application,
    profiles,
    label,
    stop.signal,
  );
  try {
    for await (const snapshot of watch) return snapshot;
    throw new Error('the watch ended');
  } finally {
    stop.abort();
  }
}

/** Gathers snapshots until the test ends. */
function gather(repository: FileRepository, application = 'orders') {
  const stop = new AbortController();
  stops.push(stop);
  const seen: unknown[] = [];
  const done = (async () => {
    for await (const { sources } of repository.watch(
      application,
      ['prod'],
      undefined,
      stop.signal,
    )) {
      seen.push(sources.map(({ source }) => source));
    }
  })();
  return { seen, done };
}

const namesOf = ({ sources }: RepositorySnapshot) => sources.map(({ name }) => name);

beforeEach(() => {
  folder = new ConfigFolder();
});

afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
  folder.remove();
});

describe('a repository of files', () => {
  it('orders its sources as Spring does: profiles before the rest, the last one first', async () => {
    for (const name of ['application', 'orders']) {
      for (const profile of ['', '-prod', '-eu', '-dev']) {
        folder.write(`${name}${profile}.yml`, `from: ${name}${profile}`);
      }
    }
    expect(namesOf(await read('orders', ['prod', 'eu']))).toEqual([
      'file:orders-eu.yml',
      'file:application-eu.yml',
      'file:orders-prod.yml',
      'file:application-prod.yml',
      'file:orders.yml',
      'file:application.yml',
    ]);
  });

  it('prefers a label’s directory, then .properties before .yml, .yaml and .json', async () => {
    mkdirSync(join(folder.path, 'main'));
    mkdirSync(join(folder.path, 'feature/x'), { recursive: true });
    for (const place of ['', 'main/']) {
      folder.write(`${place}orders.properties`, 'a=1');
      folder.write(`${place}orders.yml`, 'a: 2');
      folder.write(`${place}orders.yaml`, 'a: 3');
      folder.write(`${place}orders.json`, '{"a": 4}');
    }
    folder.write('feature/x/orders.yml', 'a: 5');
    const endings = ['properties', 'yml', 'yaml', 'json'];
    expect(namesOf(await read('orders', ['default'], 'main'))).toEqual([
      ...endings.map((ending) => `file:main/orders.${ending}`),
      ...endings.map((ending) => `file:orders.${ending}`),
    ]);
    expect(namesOf(await read('orders', ['default'], 'feature/x'))[0]).toBe(
      'file:feature/x/orders.yml',
    );
    expect(namesOf(await read('orders', ['default'], 'feature/x,main'))).toHaveLength(9);
    expect(namesOf(await read('orders', ['default'], 'unknown'))).toHaveLength(4);
  });

  it('takes several applications, the later one stronger, and unknown ones as nothing', async () => {
    folder.write('application.yml', 'a: 1');
    folder.write('orders.yml', 'a: 2');
    folder.write('stock.yml', 'a: 3');
    expect(namesOf(await read('orders,stock'))).toEqual([
      'file:stock.yml',
      'file:orders.yml',
      'file:application.yml',
    ]);
    expect(namesOf(await read('nobody'))).toEqual(['file:application.yml']);
    expect(namesOf(await read('application'))).toEqual(['file:application.yml']);
  });

  it('lets later documents win, and activates them by profile', async () => {
    folder.write(
      'orders.yml',
      [
        'a: 1',
        'spring.config.activate.on-profile: prod & eu\na: 2',
        'spring:\n  config:\n    activate:\n      on-profile: [dev, "!eu"]\na: 3',
        'a: 4',
      ].join('\n---\n'),
    );
    folder.write('orders.properties', 'b=1\n#---\nspring.config.activate.on-profile=dev\nb=2');
    const { sources } = await read('orders', ['prod', 'eu']);
    expect(sources.map(({ name, source }) => [name, source['a'] ?? source['b']])).toEqual([
      ['file:orders.properties (document #0)', '1'],
      ['file:orders.yml (document #3)', 4],
      ['file:orders.yml (document #1)', 2],
      ['file:orders.yml (document #0)', 1],
    ]);
  });

  it('says where each value stands', async () => {
    folder.write('orders.yml', 'a:\n  b: 1\n');
    folder.write('orders.properties', '# x\nc=2\n');
    const { sources } = await read('orders');
    expect(sources.map(({ origins }) => origins)).toEqual([
      { c: 'file:orders.properties:2:1' },
      { 'a.b': 'file:orders.yml:2:6' },
    ]);
  });

  it.each<[string, string, string | Buffer, string]>([
    ['broken YAML', 'orders.yml', 'a: 1\nb: [', 'orders.yml:2: '],
    ['duplicate keys', 'orders.yml', 'a: 1\na: 2', 'orders.yml:2: "a" stands here a second time.'],
    ['broken JSON', 'orders.json', '{\n"a": ', 'orders.json:2: is not JSON'],
    ['a broken escape', 'orders.properties', 'a=1\nb=\\u00', 'orders.properties:2: '],
    [
      'a byte order mark',
      'orders.yml',
      '\uFEFFa: 1',
      'orders.yml:1: begins with a byte order mark.',
    ],
    [
      'broken UTF-8',
      'orders.yml',
      Buffer.from('a: 1\nb: \xff', 'latin1'),
      'orders.yml:2: is not UTF-8.',
    ],
    [
      'a file that is too large',
      'orders.yml',
      'a'.repeat(1_100_000),
      'orders.yml: larger than 1048576 bytes.',
    ],
    ['endless brackets', 'orders.yml', `a: ${'['.repeat(5_000)}`, 'orders.yml'],
    [
      'a bad profile expression',
      'orders.yml',
      'a: 1\nspring.config.activate.on-profile: "a &"',
      'orders.yml:2: "a &" is no',
    ],
  ])('refuses %s, naming file and line', async (_name, file, text, sentence) => {
    folder.write(file, text);
    await expect(read('orders')).rejects.toMatchObject({
      code: 'ERR_CONFIG_REPOSITORY',
      message: expect.stringContaining(sentence),
    });
  });

  it('reads nothing outside of its directory, not even through links', async () => {
    const outside = new ConfigFolder({ 'secret.yml': 'password: x' });
    symlinkSync(join(outside.path, 'secret.yml'), join(folder.path, 'orders.yml'));
    await expect(read('orders')).rejects.toThrow('orders.yml: leads out of the repository');
    symlinkSync(outside.path, join(folder.path, 'linked'));
    await expect(read('secret', ['default'], 'linked')).rejects.toThrow(
      'leads out of the repository',
    );
    outside.remove();
  });

  it('follows links inside, as mounted config maps have them', async () => {
    mkdirSync(join(folder.path, '..data'));
    folder.write('..data/orders.yml', 'a: 1');
    symlinkSync('..data/orders.yml', join(folder.path, 'orders.yml'));
    expect((await read('orders')).sources[0]?.source).toEqual({ a: 1 });
  });

  it('does not take a directory for a file', async () => {
    mkdirSync(join(folder.path, 'orders.yml'));
    expect(namesOf(await read('orders'))).toEqual([]);
  });

  it('notices changes, new files, replaced files, new labels and deletions', async () => {
    folder.write('orders.yml', 'a: 1');
    const { seen } = gather(fileRepository({ path: folder.path }));
    await eventually(() => expect(seen).toEqual([[{ a: 1 }]]));
    folder.write('orders.yml', 'a: 2');
    await eventually(() => expect(seen.at(-1)).toEqual([{ a: 2 }]), 2_000);
    folder.write('orders-prod.yml', 'b: 1');
    await eventually(() => expect(seen.at(-1)).toEqual([{ b: 1 }, { a: 2 }]), 2_000);
    writeFileSync(join(folder.path, '.new'), 'a: 3');
    renameSync(join(folder.path, '.new'), join(folder.path, 'orders.yml'));
    await eventually(() => expect(seen.at(-1)).toEqual([{ b: 1 }, { a: 3 }]), 2_000);
    rmSync(join(folder.path, 'orders-prod.yml'));
    await eventually(() => expect(seen.at(-1)).toEqual([{ a: 3 }]), 2_000);
  });

  it('fails when its directory is gone, instead of giving out nothing', async () => {
    folder.write('orders.yml', 'a: 1');
    const { seen, done } = gather(fileRepository({ path: folder.path }));
    await eventually(() => expect(seen).toHaveLength(1));
    folder.remove();
    await expect(done).rejects.toThrow('The directory of the repository is gone. Put it back.');
    expect(seen).toHaveLength(1);
  });

  it('refuses a directory that is not there, at once', () => {
    const path = join(tmpdir(), 'rookery-nothing-here');
    expect(() => fileRepository({ path })).toThrow(InvalidOptionsError);
    expect(() => fileRepository({ path })).toThrow(`Create ${path}.`);
    expect(() => fileRepository({ path: '' })).toThrow('fileRepository.path is not a text.');
  });
});
