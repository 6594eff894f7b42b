import { afterEach, describe, expect, it } from '@jest/globals';
import { compositeRepository } from '../../../lib/config-server/repositories/composite.repository.js';
import { fileRepository } from '../../../lib/config-server/repositories/file.repository.js';
import { MemoryRepository } from '../../../lib/config-server/repositories/memory.repository.js';
import { eventually } from '../../support/eventually.js';
import { ConfigFolder } from '../config-apps.js';
import { Following, namesOf } from './support/following.js';

const following = new Following();
const folders: ConfigFolder[] = [];

const memory = (name: string) => new MemoryRepository({ orders: [{ name, source: { a: name } }] });

afterEach(() => {
  following.stop();
  for (const folder of folders.splice(0)) folder.remove();
});

describe('a composite of repositories', () => {
  it('puts all layers of the first before those of the next, and hears changes of each', async () => {
    const folder = new ConfigFolder({ 'orders.yml': 'a: 1', 'orders-prod.yml': 'a: 2' });
    folders.push(folder);
    const [first, last] = [memory('first'), memory('last')];
    const composite = compositeRepository(first, fileRepository({ path: folder.path }), last);
    const { seen } = following.follow(composite, 'orders', ['prod']);
    await eventually(() =>
      expect(seen.map(namesOf).at(-1)).toEqual([
        'first',
        'file:orders-prod.yml',
        'file:orders.yml',
        'last',
      ]),
    );
    last.set({ orders: [{ name: 'new', source: {} }] });
    await eventually(() => expect(seen.map(namesOf).at(-1)?.at(-1)).toBe('new'));
    folder.write('orders.yml', 'a: 3');
    await eventually(() => expect(seen.at(-1)?.sources[2]?.source).toEqual({ a: 3 }), 2_000);
  });

  it('fails when one of them does, so that the last good configuration stays', async () => {
    const folder = new ConfigFolder({ 'orders.yml': 'a: [' });
    folders.push(folder);
    const composite = compositeRepository(memory('first'), fileRepository({ path: folder.path }));
    const { seen, failures } = following.follow(composite, 'orders');
    await eventually(() => expect(String(failures[0])).toContain('orders.yml:1: '));
    expect(seen).toEqual([]);
  });

  it('gives out the file of the first that has it', async () => {
    const one = new ConfigFolder({ 'a.txt': 'one' });
    const two = new ConfigFolder({ 'a.txt': 'two', 'b.txt': 'two' });
    folders.push(one, two);
    const composite = compositeRepository(
      fileRepository({ path: one.path }),
      memory('m'),
      fileRepository({ path: two.path }),
    );
    const { signal } = new AbortController();
    const text = async (path: string) => {
      const query = { application: 'orders', profiles: ['default'], label: undefined, path };
      return (await composite.resource(query, signal))?.bytes.toString();
    };
    expect([await text('a.txt'), await text('b.txt'), await text('c.txt')]).toEqual([
      'one',
      'two',
      undefined,
    ]);
  });

  it('refuses to be of nothing', () => {
    expect(() => compositeRepository()).toThrow('compositeRepository holds no repositories.');
  });
});
