import { Inject, Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { ConfigModule, ConfigService, type ConfigType, registerAs } from '@nestjs/config';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import { MemorySource } from '../../lib/config-client/sources/memory.source.js';
import { eventually } from '../support/eventually.js';

const database = registerAs('db', () => ({
  host: 'local',
  port: 5432,
  pool: { min: 1 },
  replicas: ['l1', 'l2'],
  password: 'local-secret',
}));
const cache = registerAs('cache', async () => ({ ttl: 5, tags: [] as string[] }));

@Injectable()
class Store implements OnModuleInit {
  atInit: unknown;
  constructor(
    @Inject(database.KEY) readonly db: ConfigType<typeof database>,
    readonly config: ConfigService,
  ) {}

  onModuleInit(): void {
    this.atInit = this.config.get('db.host');
  }
}

@Module({ imports: [ConfigModule.forFeature(cache)], providers: [Store], exports: [Store] })
class StoreModule {}

let app: TestingModule | undefined;
let source: MemorySource;
let environment: string;

const validate = (variables: Record<string, unknown>) => ({ ...variables, CHECKED: 'yes' });

async function start(extra: Parameters<typeof ConfigModule.forRoot>[0] = {}) {
  app = await Test.createTestingModule({
    imports: [
      ConfigClientModule.forRoot({ name: 'orders', source }),
      ConfigModule.forRoot({
        isGlobal: true,
        ignoreEnvFile: true,
        load: [database, () => ({ plain: { a: 1 }, flag: 'local' })],
        ...extra,
      }),
      StoreModule,
    ],
  }).compile();
  await app.init();
  const store = app.get(Store, { strict: false });
  return { store, nest: store.config, client: app.get(ConfigClient) };
}

beforeEach(() => {
  source = new MemorySource({
    db: { host: 'remote', replicas: ['r1'] },
    extra: { deep: { x: 1 } },
  });
  environment = JSON.stringify(process.env);
});

afterEach(async () => {
  await app?.close();
  app = undefined;
  delete process.env['CHECKED'];
  delete process.env['DB_PORT'];
  delete process.env['PLAIN_A'];
});

// The door is an object that @nestjs/config does not document. When one of these fails on a new version, the bridge must follow.
describe('the door into @nestjs/config', () => {
  it('shows remote values over local ones in get, dotted paths and what registerAs injects', async () => {
    const { store, nest, client } = await start();
    expect(nest.get('db')).toEqual({
      host: 'remote',
      port: 5432,
      pool: { min: 1 },
      replicas: ['r1'],
      password: 'local-secret',
    });
    expect(nest.get('db.host')).toBe('remote');
    expect(nest.get('extra.deep.x')).toBe(1);
    expect(store.db).toBe(nest.get('db'));
    expect(store.db.host).toBe('remote');
    expect(store.atInit).toBe('remote');
    expect(nest.get('flag')).toBe('local');
    expect(nest.get('cache')).toEqual({ ttl: 5, tags: [] });
    expect(client.get('db.port')).toBe(5432);
    expect(client.get('plain.a')).toBe(1);
  });

  it('follows changes, additions and deletions; a local value is there again when the remote one goes', async () => {
    const { store, nest, client } = await start();
    const seen: unknown[] = [];
    client.changes$.subscribe(({ keys }) => seen.push([keys, nest.get('db.port')]));
    source.set({ db: { port: 6000 }, added: { y: [1, 2] } });
    await eventually(() => expect(nest.get('db.port')).toBe(6000));
    expect(store.db).toBe(nest.get('db'));
    expect(store.db).toEqual({
      host: 'local',
      port: 6000,
      pool: { min: 1 },
      replicas: ['l1', 'l2'],
      password: 'local-secret',
    });
    expect(nest.get('added.y')).toEqual([1, 2]);
    expect(nest.get('extra')).toBeUndefined();
    expect(seen).toEqual([
      [expect.arrayContaining(['db.host', 'db.port', 'added.y[0]', 'extra.deep.x']), 6000],
    ]);
    expect(nest.get('db')).toEqual(client.get('db'));
  });

  it('lets environment variables win over remote and over local values', async () => {
    process.env['DB_PORT'] = '7000';
    process.env['PLAIN_A'] = '2';
    const { store, nest } = await start();
    expect(nest.get('db.port')).toBe(7000);
    expect(store.db.port).toBe(7000);
    expect(nest.get('plain.a')).toBe(2);
  });

  it('leaves validated variables to Nest', async () => {
    const { nest, client } = await start({ validate, validatePredefined: false });
    source.set({ db: { host: 'again' } });
    await eventually(() => expect(nest.get('db.host')).toBe('again'));
    expect(nest.get('CHECKED')).toBe('yes');
    expect(client.snapshot()).not.toHaveProperty('_PROCESS_ENV_VALIDATED');
  });

  it('writes nothing into process.env, through a thousand changes', async () => {
    const { nest } = await start();
    for (let round = 1; round <= 1_000; round++) {
      source.set({ db: { host: `h${round}`, secret: `s${round}` }, [`k${round}`]: round });
      if (round % 100 === 0) await eventually(() => expect(nest.get('db.host')).toBe(`h${round}`));
    }
    expect(JSON.stringify(process.env)).toBe(environment);
    expect(nest.get('k999')).toBeUndefined();
  });

  it('shares nothing between two applications', async () => {
    const first = await start();
    const before = app;
    source = new MemorySource({ db: { host: 'other' } });
    const second = await start();
    expect([first.nest.get('db.host'), second.nest.get('db.host')]).toEqual(['remote', 'other']);
    await before?.close();
  });
});

describe('an application without a ConfigModule of its own', () => {
  it('is given ConfigService with every value in it, in constructors too', async () => {
    @Injectable()
    class Early {
      readonly host: unknown;
      constructor(config: ConfigService) {
        this.host = config.get('db.host');
      }
    }
    @Module({ providers: [Early] })
    class Inner {}
    app = await Test.createTestingModule({
      imports: [
        Inner,
        ConfigClientModule.forRootAsync({ useFactory: () => ({ name: 'orders', source }) }),
      ],
    }).compile();
    expect(app.get(Early, { strict: false }).host).toBe('remote');
  });
});
