import 'reflect-metadata';
import { type INestApplicationContext, Inject, Injectable, Logger, Module } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { Test } from '@nestjs/testing';
import { Type } from 'class-transformer';
import { IsBoolean, IsInt, IsString, Matches, Min, ValidateNested } from 'class-validator';
import * as v from 'valibot';
import { z } from 'zod';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventHub } from '../../lib/common/event-hub.js';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import type { ConfigClientOptions } from '../../lib/config-client/config-client.options.js';
import {
  ConfigSection,
  configSection,
  type SectionValue,
} from '../../lib/config-client/config-section.js';
import { ConfigSource } from '../../lib/config-client/config-source.js';
import { MemorySource } from '../../lib/config-client/sources/memory.source.js';
import { eventually } from '../support/eventually.js';

class Pool {
  @IsInt() @Min(1) max: number = 10;
}

@ConfigSection('db')
class Database {
  @Matches(/^pg:/) readonly url!: string;
  @IsBoolean() readonly tls: boolean = false;
  @ValidateNested() @Type(() => Pool) readonly pool: Pool = new Pool();
  get description(): string {
    return `${this.url} with ${this.pool.max}`;
  }
}

const mailSection = configSection(
  'mail',
  z.object({ from: z.email(), retries: z.coerce.number().default(3) }),
);
const shopSection = configSection('shop', v.object({ currency: v.pipe(v.string(), v.length(3)) }));

@Injectable()
class Orders {
  constructor(
    readonly database: Database,
    @Inject(mailSection.KEY) readonly mail: SectionValue<typeof mailSection>,
    @Inject(shopSection.KEY) readonly shop: SectionValue<typeof shopSection>,
  ) {}
}

const GOOD = {
  db: { url: 'pg:one', pool: { max: 20 } },
  mail: { from: 'shop@example.com' },
  shop: { currency: 'EUR' },
};

const apps: INestApplicationContext[] = [];

async function start(options: ConfigClientOptions) {
  @Module({
    imports: [ConfigClientModule.forFeature(Database, mailSection, shopSection)],
    providers: [Orders],
  })
  class OrdersModule {}
  const app = await Test.createTestingModule({
    // The feature comes first: its rules are known all the same before the first values are judged.
    imports: [OrdersModule, ConfigClientModule.forRoot({ name: 'orders', ...options })],
  }).compile();
  apps.push(app);
  await app.init();
  const rejected: (readonly string[])[] = [];
  app.get(EventHub).on('config.rejected', ({ issues }) => rejected.push(issues));
  return {
    app,
    orders: app.get(Orders, { strict: false }),
    config: app.get(ConfigClient),
    rejected,
  };
}

beforeEach(() => {
  jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  jest.restoreAllMocks();
});

describe('a section', () => {
  it('is injected by its class or its key, with the defaults of its rules, and everyone agrees on them', async () => {
    const { orders, config, app } = await start({ source: new MemorySource(GOOD) });
    expect(orders.database).toBeInstanceOf(Database);
    expect(orders.database.description).toBe('pg:one with 20');
    expect(orders.database.tls).toBe(false);
    expect(orders.mail).toEqual({ from: 'shop@example.com', retries: 3 });
    expect(orders.shop.currency).toBe('EUR');
    expect(config.get('mail.retries')).toBe(3);
    expect(config.get('db.tls')).toBe(false);
    expect(app.get(ConfigService).get('mail.retries')).toBe(3);
  });

  it('stays one object that follows the configuration', async () => {
    const source = new MemorySource(GOOD);
    const { orders } = await start({ source });
    const { database } = orders;
    source.set({ ...GOOD, db: { url: 'pg:two' }, mail: { from: 'b@example.com', retries: '5' } });
    await eventually(() => expect(database.url).toBe('pg:two'));
    expect(orders.database).toBe(database);
    expect(database.pool.max).toBe(10);
    expect(orders.mail).toEqual({ from: 'b@example.com', retries: 5 });
  });

  it.each<[string, object, string]>([
    [
      'class',
      { db: { url: 'pg:x', pool: { max: 0 } } },
      'db.pool.max: must not be less than 1 (memory)',
    ],
    ['zod schema', { mail: { from: 'nobody' } }, 'mail.from: Invalid email address (memory)'],
    [
      'valibot schema',
      { shop: { currency: 'Euro' } },
      'shop.currency: Invalid length: Expected 3 but received 4 (memory)',
    ],
    ['shape', { shop: 'none' }, 'shop: must hold keys and values (memory)'],
  ])('refuses by its %s a change as a whole', async (_kind, bad, issue) => {
    const source = new MemorySource(GOOD);
    const { orders, rejected, config } = await start({ source });
    source.set({ ...GOOD, db: { url: 'pg:new' }, ...bad });
    await eventually(() => expect(rejected).toEqual([[issue]]));
    expect(orders.database.url).toBe('pg:one');
    expect(config.get('db.url')).toBe('pg:one');
    source.set({ ...GOOD, db: { url: 'pg:good' } });
    await eventually(() => expect(orders.database.url).toBe('pg:good'));
  });

  it('stops the start with all that is wrong, by key', async () => {
    const starting = start({ source: new MemorySource({ db: { url: 'my:sql' }, mail: {} }) });
    await expect(starting).rejects.toThrow(
      /from memory is not valid: db\.url: must match .*; mail\.from: Invalid input.*; shop\.currency: /,
    );
  });

  it('takes texts as the kinds its class declares', async () => {
    const db = { url: 'pg:x', tls: 'true', pool: { max: '7' } };
    const { orders } = await start({ source: new MemorySource({ ...GOOD, db }) });
    expect(orders.database).toMatchObject({ tls: true, pool: { max: 7 } });
  });

  it('names the file and the line of a bad value, and never the value', async () => {
    class Placed extends ConfigSource {
      override readonly name = 'placed';
      override async *watch() {
        yield {
          sources: [
            {
              name: 'file:orders.yml',
              source: {
                'db.url': 'hunter22-secret',
                'mail.from': 'a@b.cd',
                'shop.currency': 'EUR',
              },
              origins: { 'db.url': 'file:orders.yml:3:7' },
            },
          ],
        };
      }
    }
    const error = await start({ source: new Placed() }).catch(String);
    expect(error).toContain('(file:orders.yml:3:7)');
    expect(error).not.toContain('hunter22');
  });

  it('needs a key', () => {
    class Nameless {}
    expect(() => ConfigClientModule.forFeature(Nameless)).toThrow(
      "ConfigClientModule.forFeature(Nameless) names a class without its key. Write @ConfigSection('db') above Nameless.",
    );
    expect(() => configSection('x', {} as never)).toThrow("configSection('x') has no schema.");
  });
});

describe('a class as the rule of the whole document', () => {
  class Whole {
    @IsString() readonly name!: string;
    @IsInt() readonly size: number = 4;
  }

  it('refuses what breaks it and fills its defaults in', async () => {
    const good = { ...GOOD, name: 'a' };
    const { config } = await start({ source: new MemorySource(good), validate: Whole });
    expect(config.get('size')).toBe(4);
    expect(config.get('name')).toBe('a');
    await expect(start({ source: new MemorySource(GOOD), validate: Whole })).rejects.toThrow(
      'name: must be a string',
    );
  });
});
