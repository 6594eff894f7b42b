import { Controller, Get, Injectable, Logger, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import type { ConfigChange } from '../../lib/config-client/config-client.events.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import { ConfigValue, OnConfigChange } from '../../lib/config-client/config-value.decorator.js';
import { MemorySource } from '../../lib/config-client/sources/memory.source.js';
import { eventually } from '../support/eventually.js';

class Base {
  @ConfigValue('db.url') readonly url!: string;
}

@Injectable()
class Repository extends Base {
  @ConfigValue('db.max', 10) readonly max!: number;
  @ConfigValue('limits.rate', 5) readonly rate!: number;
  readonly calls: [string, readonly string[]][] = [];

  @OnConfigChange('db.*')
  below({ keys }: ConfigChange): void {
    this.calls.push(['db.*', keys]);
  }

  @OnConfigChange('db')
  self({ keys }: ConfigChange): void {
    this.calls.push(['db', keys]);
  }

  @OnConfigChange('*')
  async all({ keys }: ConfigChange): Promise<void> {
    this.calls.push(['*', keys]);
    throw new Error('a listener that fails');
  }
}

@Controller('url')
class UrlController {
  @ConfigValue('db.url') readonly url!: string;

  @Get()
  read(): string {
    return this.url;
  }
}

@Module({ controllers: [UrlController], providers: [Repository] })
class Feature {}

const apps: TestingModule[] = [];

async function start(source: MemorySource) {
  const imports = [ConfigClientModule.forRoot({ name: 'orders', source }), Feature];
  const app = await Test.createTestingModule({ imports }).compile();
  apps.push(app);
  await app.init();
  return { app, repository: app.get(Repository), client: app.get(ConfigClient) };
}

let errors: ReturnType<typeof silenced>;

function silenced() {
  return jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
}

beforeEach(() => {
  errors = silenced();
});

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  delete process.env['LIMITS_RATE'];
  jest.restoreAllMocks();
});

describe('@ConfigValue', () => {
  it('reads the newest value, in providers, their base classes and controllers', async () => {
    const source = new MemorySource({ db: { url: 'a' } });
    const { app, repository } = await start(source);
    const controller = app.get(UrlController);
    expect([repository.url, repository.max, controller.read()]).toEqual(['a', 10, 'a']);
    source.set({ db: { url: 'b', max: 3 } });
    await eventually(() => expect(repository.url).toBe('b'));
    expect([repository.max, controller.read()]).toEqual([3, 'b']);
    expect(Object.keys(repository)).toContain('url');
  });

  it('asks a variable for a key that nobody else knows, as the fallback’s kind of value', async () => {
    process.env['LIMITS_RATE'] = '50';
    const { repository } = await start(new MemorySource({}));
    expect(repository.rate).toBe(50);
  });

  it('is bound to its own application', async () => {
    const first = await start(new MemorySource({ db: { url: '1' } }));
    const second = await start(new MemorySource({ db: { url: '2' } }));
    expect([first.repository.url, second.repository.url]).toEqual(['1', '2']);
  });

  it('cannot be written', async () => {
    const { repository } = await start(new MemorySource({ db: { url: 'a' } }));
    expect(() => Object.assign(repository, { url: 'x' })).toThrow(TypeError);
  });
});

describe('@OnConfigChange', () => {
  it('calls with the keys that fit, and a failing method harms nobody', async () => {
    const source = new MemorySource({ db: { url: 'a' } });
    const { repository } = await start(source);
    source.set({ db: { url: 'b' }, dbx: 1, other: { y: 2 } });
    await eventually(() => expect(repository.calls).toHaveLength(3));
    expect(repository.calls).toEqual([
      ['db.*', ['db.url']],
      ['db', ['db.url']],
      ['*', ['db.url', 'dbx', 'other.y']],
    ]);
    await eventually(() => expect(errors).toHaveBeenCalledTimes(1));
    expect(errors.mock.calls[0]?.[0]).toBe(
      'Repository.all failed on a change of the configuration: a listener that fails',
    );
    source.set({ db: { url: 'b' }, dbx: 2, other: { y: 2 } });
    await eventually(() => expect(repository.calls).toHaveLength(4));
    expect(repository.calls[3]).toEqual(['*', ['dbx']]);
  });
});

describe('ConfigClient', () => {
  it('answers get, getOrThrow, has and explain', async () => {
    const { client } = await start(
      new MemorySource({ db: { url: 'a', hosts: ['x'] }, off: false }),
    );
    expect(client.get('db.hosts[0]')).toBe('x');
    expect(client.get('db.missing', 'd')).toBe('d');
    expect(client.get('off', true)).toBe(false);
    expect(client.has('db.hosts')).toBe(true);
    expect(client.getOrThrow('db.url')).toBe('a');
    expect(() => client.getOrThrow('db.missing')).toThrow(
      'The configuration has no "db.missing"; asked were the environment variables, memory and the local defaults.',
    );
    expect(client.explain('db.url')).toEqual({
      key: 'db.url',
      value: 'a',
      version: '1',
      winner: 'memory',
      layers: [{ name: 'memory', value: 'a' }],
    });
  });

  it('gives a snapshot that later changes leave alone', async () => {
    const source = new MemorySource({ a: { b: 1 } });
    const { client } = await start(source);
    const before = client.snapshot();
    source.set({ a: { b: 2 } });
    await eventually(() => expect(client.get('a.b')).toBe(2));
    expect(before).toEqual({ a: { b: 1 } });
  });
});
