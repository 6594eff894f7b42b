import { strict as assert } from 'node:assert';
import { type INestApplicationContext, Inject, Injectable, Module } from '@nestjs/common';
import { ConfigModule, ConfigService, type ConfigType, registerAs } from '@nestjs/config';
import { ConfigClient, ConfigClientModule, MemorySource } from 'nest-rookery/config-client';

const remote = new MemorySource({ db: { host: 'remote', replicas: ['r1'] }, extra: { x: 1 } });
const database = registerAs('db', () => ({ host: 'local', port: 5432, replicas: ['l1', 'l2'] }));

@Injectable()
export class Store {
  /** What a constructor reads, before anything else is made. */
  readonly first: unknown;

  constructor(
    @Inject(database.KEY) readonly db: ConfigType<typeof database>,
    readonly config: ConfigService,
  ) {
    this.first = config.get('db.host');
  }
}

@Module({
  imports: [
    ConfigClientModule.forRoot({ name: 'orders', source: remote }),
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [database] }),
  ],
  providers: [Store],
})
export class ConfigDoorModule {}

/**
 * The door into this version of @nestjs/config, an object that it does not document: whole objects, dotted paths and what
 * `registerAs` injects agree, at the start and after every change, and process.env is left alone.
 */
export async function configDoor(app: INestApplicationContext) {
  const environment = JSON.stringify(process.env);
  try {
    const { db, config, first } = app.get(Store);
    const client = app.get(ConfigClient);
    const agree = (expected: object) => {
      equal(config.get('db'), expected);
      equal(db, expected);
      equal(client.get('db'), expected);
      assert.equal(config.get('db'), db);
      for (const [key, value] of Object.entries(expected)) equal(config.get(`db.${key}`), value);
    };
    assert.equal(first, 'remote');
    agree({ host: 'remote', port: 5432, replicas: ['r1'] });
    assert.equal(config.get('extra.x'), 1);

    await changed(client, { db: { port: 6000 }, added: { y: [1, 2] } });
    // A local value is there again when the remote one is gone.
    agree({ host: 'local', port: 6000, replicas: ['l1', 'l2'] });
    equal(config.get('added.y'), [1, 2]);
    assert.equal(config.get('extra'), undefined);

    await changed(client, { db: { host: 'again', replicas: [] } });
    agree({ host: 'again', port: 5432, replicas: [] });
    assert.equal(JSON.stringify(process.env), environment);
  } finally {
    await app.close();
  }
}

function changed(client: ConfigClient, values: Record<string, unknown>): Promise<void> {
  return new Promise((resolve) => {
    const heard = client.changes$.subscribe(() => {
      heard.unsubscribe();
      resolve();
    });
    remote.set(values);
  });
}

/** By value, and in whatever order the keys are. */
function equal(actual: unknown, expected: unknown) {
  assert.deepEqual(plain(actual), plain(expected));
}

/** A test runner's objects have other prototypes. */
function plain(value: unknown): unknown {
  return value === undefined ? value : JSON.parse(JSON.stringify(value));
}
