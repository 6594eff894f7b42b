import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ConsulKvRepository,
  consulKvRepository,
  type ConsulKvRepositoryOptions,
} from '../../../lib/config-server/repositories/consul-kv.repository.js';
import { eventually } from '../../support/eventually.js';
import { firstOf, Following, namesOf } from './support/following.js';

const url = process.env['CONSUL_URL'] ?? '';
const following = new Following();
const repositories: ConsulKvRepository[] = [];
let prefix = '';

async function put(key: string, value: string | Buffer): Promise<void> {
  const answer = await fetch(`${url}/v1/kv/${prefix}/${key}`, { method: 'PUT', body: value });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

function repository(options: ConsulKvRepositoryOptions = {}): ConsulKvRepository {
  const made = consulKvRepository({ url, prefix, ...options });
  repositories.push(made);
  return made;
}

beforeEach(() => {
  prefix = `config-${Math.random().toString(36).slice(2)}`;
});

afterEach(async () => {
  following.stop();
  for (const each of repositories.splice(0)) await each.close();
  await fetch(`${url}/v1/kv/${prefix}/?recurse`, { method: 'DELETE' });
});

describe('a repository in Consul', () => {
  it('reads keys and values, an application before a profile', async () => {
    await put('application/log/level', 'info');
    await put('application,prod/log/level', 'warn');
    await put('orders/db/pool/max', '10');
    await put('orders,prod/db/pool/max', '50');
    await put('orders,eu/db/pool/max', '60');
    await put('orders/', '');
    const snapshot = await firstOf(repository(), 'orders', ['prod', 'eu']);
    expect(namesOf(snapshot)).toEqual(
      ['orders,eu', 'orders,prod', 'orders', 'application,prod', 'application'].map(
        (context) => `consul:${prefix}/${context}/`,
      ),
    );
    expect(snapshot.sources[0]).toMatchObject({
      source: { 'db.pool.max': '60' },
      origins: { 'db.pool.max': `consul:${prefix}/orders,eu/db/pool/max` },
    });
  });

  it.each([
    ['YAML', 'a: {b: [1, x]}', { 'a.b[0]': 1, 'a.b[1]': 'x' }],
    ['JSON', '{"a": {"b": true}}', { 'a.b': true }],
    ['PROPERTIES', 'a.b=1\n', { 'a.b': '1' }],
  ] as const)('reads documents in %s', async (format, text, source) => {
    await put('orders/data', text);
    await put('orders::prod/settings', text);
    expect((await firstOf(repository({ format }), 'orders')).sources).toMatchObject([{ source }]);
    const options = { format, profileSeparator: '::', dataKey: 'settings' };
    const named = await firstOf(repository(options), 'orders', ['prod']);
    expect(namesOf(named)).toEqual([`consul:${prefix}/orders::prod/settings`]);
  });

  it('reads files, as git2consul writes them', async () => {
    await put('application.yml', 'a: 1');
    await put('orders.properties', 'a=2');
    await put('orders-prod.yml', 'a: 3\n---\nspring.config.activate.on-profile: eu\na: 4');
    const snapshot = await firstOf(repository({ format: 'FILES' }), 'orders', ['prod']);
    expect(snapshot.sources.map(({ source }) => source['a'])).toEqual([3, '2', 1]);
  });

  it('hears of changes, of the first key there ever was, and of deletions', async () => {
    const { seen } = following.follow(repository(), 'orders');
    await eventually(() => expect(seen.map(namesOf)).toEqual([[]]));
    await put('orders/a', '1');
    await eventually(() => expect(seen.at(-1)?.sources[0]?.source).toEqual({ a: '1' }));
    await put('orders/a', '2');
    await eventually(() => expect(seen.at(-1)?.sources[0]?.source).toEqual({ a: '2' }));
    await fetch(`${url}/v1/kv/${prefix}/orders/a`, { method: 'DELETE' });
    await eventually(() => expect(seen.at(-1)?.sources).toEqual([]));
  });

  it('names the key and the line of what is broken', async () => {
    await put('orders/data', 'a: 1\na: 2');
    await expect(firstOf(repository({ format: 'YAML' }), 'orders')).rejects.toThrow(
      `consul:${prefix}/orders/data.yml:2: "a" stands here a second time.`,
    );
    await put('orders/x', Buffer.from([0xff]));
    await expect(firstOf(repository(), 'orders')).rejects.toThrow('/orders/x: is not UTF-8.');
  });

  it('fails for everyone who watches when Consul is away, with its address and no token', async () => {
    const repo = repository({ url: 'http://127.0.0.1:1', token: 'hunter22' });
    const one = following.follow(repo, 'orders');
    const two = following.follow(repo, 'stock');
    await eventually(() => expect([one.failures.length, two.failures.length]).toEqual([1, 1]));
    expect(String(one.failures[0])).toMatch(
      /Consul at 127\.0\.0\.1:1 cannot be asked for "config-.*ECONNREFUSED/,
    );
    expect(JSON.stringify(one.failures)).not.toContain('hunter22');
  });
});
