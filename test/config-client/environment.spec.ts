import { describe, expect, it } from '@jest/globals';
import { Environment } from '../../lib/config-client/environment.js';
import { EnvironmentVariables } from '../../lib/config-client/environment-variables.js';
import type { PropertySource, PropertyValue } from '../../lib/common/properties/property-source.js';
import type { PropertyTree } from '../../lib/common/properties/property-tree.js';
import { cpuTime } from '../support/cpu-time.js';

type Source = Record<string, PropertyValue>;

function environment(
  sources: readonly Source[],
  {
    variables = {},
    defaults = {},
  }: { variables?: Record<string, string>; defaults?: PropertyTree } = {},
): Environment {
  const named = sources.map((source, at): PropertySource => ({ name: `source ${at}`, source }));
  return new Environment({
    variables: new EnvironmentVariables(variables),
    sources: named,
    defaults,
  });
}

describe('the environment', () => {
  it.each<[string, Source[], unknown]>([
    ['lets the first source win', [{ a: 1 }, { a: 2, b: 3 }], { a: 1, b: 3 }],
    ['joins objects of several sources', [{ 'a.x': 1 }, { 'a.y': 2 }], { a: { x: 1, y: 2 } }],
    ['replaces lists whole', [{ 'h[0]': 'p1' }, { 'h[0]': 'd1', 'h[1]': 'd2' }], { h: ['p1'] }],
    [
      'replaces lists of objects whole',
      [{ 's[0].url': 'x' }, { 's[0].url': 'a', 's[0].weight': 3, 's[1].url': 'b' }],
      { s: [{ url: 'x' }] },
    ],
    ['empties a list with an empty text', [{ h: '' }, { 'h[0]': 'd1' }], { h: '' }],
    ['lets a list replace an empty text', [{ 'h[0]': 'p1' }, { h: '' }], { h: ['p1'] }],
    ['keeps both of a clash', [{ 'a.b': 2 }, { a: 1 }], { a: 1, 'a.b': 2 }],
    [
      'joins bracketed names, which are no list',
      [{ 'm[x.y]': 1 }, { 'm[z]': 2 }],
      { m: { 'x.y': 1, z: 2 } },
    ],
    ['lets null win', [{ a: null }, { a: 1 }], { a: null }],
    [
      'keeps the kinds of values',
      [{ n: 1.5, b: false, t: '1', e: '' }],
      { n: 1.5, b: false, t: '1', e: '' },
    ],
    [
      'reads the example of the wire format',
      [
        { 'audit.enabled': true },
        { 'db.url': 'pg://p', 'db.hosts[0]': 'p1', 'db.pool.max': 50 },
        { 'log.level': 'warn' },
        { 'db.hosts[0]': 'd1', 'db.hosts[1]': 'd2' },
        { 'log.level': 'info' },
      ],
      {
        audit: { enabled: true },
        db: { url: 'pg://p', hosts: ['p1'], pool: { max: 50 } },
        log: { level: 'warn' },
      },
    ],
  ])('%s', (_name, sources, expected) => {
    expect(environment(sources).tree).toEqual(expected);
  });

  it('puts local defaults beneath everything, and lists of theirs are replaced too', () => {
    const defaults = { db: { hosts: ['a', 'b'], pool: { max: 5, min: 1 } }, empty: [], none: {} };
    expect(environment([{ 'db.hosts[0]': 'x', 'db.pool.max': 9 }], { defaults }).tree).toEqual({
      db: { hosts: ['x'], pool: { max: 9, min: 1 } },
      empty: [],
      none: {},
    });
  });

  describe('with environment variables', () => {
    const source = {
      'db.pool.max': 5,
      'db.poolName': 'main',
      'db.read-only': false,
      'hosts[0]': 'a',
      'ports[0]': 1,
      'servers[0].url': 'x',
      name: 'orders',
    };
    it.each<[string, Record<string, string>, PropertyTree]>([
      ['as the kind of value they replace', { DB_POOL_MAX: '12' }, { db: { pool: { max: 12 } } }],
      ['of camel case names', { DB_POOL_NAME: 'x' }, { db: { poolName: 'x' } }],
      ['of Spring’s form for hyphens', { DB_READONLY: 'TRUE' }, { db: { 'read-only': true } }],
      ['of people’s form for hyphens', { DB_READ_ONLY: 'true' }, { db: { 'read-only': true } }],
      ['by the key itself', { 'db.pool.max': '7', DB_POOL_MAX: '8' }, { db: { pool: { max: 7 } } }],
      ['that are no number, as text', { DB_POOL_MAX: 'many' }, { db: { pool: { max: 'many' } } }],
      ['over whole lists', { HOSTS: 'x, y' }, { hosts: ['x', 'y'] }],
      ['over whole lists of numbers', { PORTS: '80,81' }, { ports: [80, 81] }],
      ['that empty a list', { HOSTS: '' }, { hosts: [] }],
      ['that cannot say a list of objects', { SERVERS: 'x' }, { servers: [{ url: 'x' }] }],
    ])('takes those %s', (_name, variables, expected) => {
      expect(environment([source], { variables }).tree).toMatchObject(expected);
    });

    it('lets no other variable in', () => {
      const { tree } = environment([source], { variables: { SECRET: 'x', PATH: '/bin' } });
      expect(tree).toEqual(environment([source]).tree);
    });
  });

  it('fills placeholders from every layer and from variables', () => {
    const { tree } = environment(
      [{ url: 'http://${host}:${port:80}/${HOME}/${missing}', limit: '${max}' }],
      {
        variables: { HOME: '~' },
        defaults: { host: 'local', max: 3 },
      },
    );
    expect(tree).toMatchObject({ url: 'http://local:80/~/${missing}', limit: 3 });
  });

  it('explains a key: every layer, its origin, and the winner', () => {
    const sources: PropertySource[] = [
      {
        name: 'file:orders-prod.yml',
        source: { 'db.max': 50 },
        origins: { 'db.max': 'file:orders-prod.yml:3:8' },
      },
      { name: 'file:orders.yml', source: { 'db.max': 20, 'h[0]': 'a', 'h[1]': 'b' } },
    ];
    const variables = new EnvironmentVariables({ DB_MAX: '99' });
    const explained = new Environment({ variables, sources, defaults: { db: { max: 1 } } });
    expect(explained.explain('db.max')).toEqual({
      winner: 'environment variables',
      layers: [
        { name: 'environment variables', value: '99', origin: 'DB_MAX' },
        { name: 'file:orders-prod.yml', value: 50, origin: 'file:orders-prod.yml:3:8' },
        { name: 'file:orders.yml', value: 20 },
        { name: 'local defaults', value: 1 },
      ],
    });
    expect(explained.explain('h')).toEqual({
      winner: 'file:orders.yml',
      layers: [{ name: 'file:orders.yml', value: ['a', 'b'] }],
    });
    expect(explained.explain('nothing')).toEqual({ layers: [] });
    const alone = environment([], { variables: { ONLY_HERE: 'x' } });
    expect(alone.explain('only.here').winner).toBe('environment variables');
  });

  it('merges 10,000 keys over 8 layers quickly', () => {
    const sources = Array.from({ length: 8 }, (_, layer) =>
      Object.fromEntries(
        Array.from({ length: 10_000 }, (_, at): [string, PropertyValue] => [
          `group${at % 100}.part.key${at}`,
          at + layer,
        ]),
      ),
    );
    let merged: Environment | undefined;
    const spent = cpuTime(() => (merged = environment(sources)));
    // The figure is measured by `npm run bench:config`; this bound only catches a change of its order.
    expect(spent).toBeLessThan(2_000);
    expect(merged?.tree['group7']).toMatchObject({ part: { key7: 7 } });
  });
});

const circular = (source: Record<string, string>) =>
  new Environment({
    variables: new EnvironmentVariables({}),
    sources: [{ name: 'x', source, origins: { a: 'file:x.yml:1:4' } }],
    defaults: {},
  });

describe('placeholders that ask for each other', () => {
  it('are an issue of the key they stand at, with the circle and the line', () => {
    expect(circular({ a: '${b}', b: 'x ${c}', c: '${a}' }).issues[0]).toBe(
      'a: its placeholders ask for each other, b → c → a → b (file:x.yml:1:4). Give one of them a value or a default',
    );
    expect(circular({ self: '${self}' }).issues).toEqual([
      'self: its placeholders ask for each other, self → self (x). Give one of them a value or a default',
    ]);
  });

  it('are none where a default ends them, or where nobody is asked twice', () => {
    expect(circular({ a: '${b:1}', b: '${a:2}' }).issues).toEqual([]);
    expect(circular({ a: '${c}${c}', b: '${a}', c: 'x', d: '${unknown}' }).issues).toEqual([]);
  });
});
