import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get, Inject, Injectable, Module } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { Test } from '@nestjs/testing';
import { IsInt, Matches, Min } from 'class-validator';
import { z } from 'zod';
import { describe, expect, it } from '@jest/globals';
import {
  ChangeCheck,
  type ConfigChange,
  ConfigClient,
  ConfigClientModule,
  configFile,
  ConfigSection,
  configSection,
  ConfigValue,
  FeatureFlag,
  FeatureFlags,
  MemorySource,
  OnConfigChange,
  Refreshable,
  refreshable,
  type SectionValue,
} from '../../lib/config-client/index.js';
import { startApp } from '../config-server/config-apps.js';
import { eventually } from '../support/eventually.js';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/config-client.md'), 'utf8');

// The page shows what stands between the marks, word for word; it is compiled and run here.

// docs: values
@Injectable()
class Checkout {
  @ConfigValue('checkout.discount', 0) private readonly discount!: number;

  constructor(
    private readonly config: ConfigClient,
    private readonly nest: ConfigService,
  ) {}

  total(price: number): string {
    const currency = this.config.getOrThrow<string>('checkout.currency');
    return `${price - this.discount} ${currency} of ${this.nest.get('checkout.shop')}`;
  }

  @OnConfigChange('checkout.*')
  changed({ keys, version }: ConfigChange): void {
    this.heard.push(`${keys.join()} in ${version}`);
  }

  readonly heard: string[] = [];
}
// end

// docs: section-class
@ConfigSection('db')
class DatabaseConfig {
  @Matches(/^pg:/) readonly url!: string;
  @IsInt() @Min(1) readonly poolMax: number = 10;
}

@Injectable()
class Orders {
  constructor(readonly db: DatabaseConfig) {}
}

@Module({ imports: [ConfigClientModule.forFeature(DatabaseConfig)], providers: [Orders] })
class OrdersModule {}
// end

// docs: section-schema
const mailSection = configSection(
  'mail',
  z.object({ from: z.email(), retries: z.number().default(3) }),
);

@Injectable()
class Mailer {
  constructor(@Inject(mailSection.KEY) readonly mail: SectionValue<typeof mailSection>) {}
}

@Module({ imports: [ConfigClientModule.forFeature(mailSection)], providers: [Mailer] })
class MailModule {}
// end

// docs: flags
@Controller('cart')
class CartController {
  constructor(private readonly features: FeatureFlags) {}

  @FeatureFlag('gifts')
  @Get('gifts')
  gifts() {
    return this.features.isEnabled('newGifts', 'ada') ? 'new' : 'old';
  }
}
// end

class Pool {
  closed = false;
  constructor(readonly url: string) {}
  close() {
    this.closed = true;
  }
}

// docs: refreshable
const POOL = Symbol('POOL');

const poolProvider = refreshable<Pool>({
  provide: POOL,
  keys: 'db',
  make: (config) => new Pool(config.getOrThrow('db.url')),
  dispose: (pool) => pool.close(),
});

@Injectable()
class Reports {
  constructor(@Inject(POOL) private readonly pool: Refreshable<Pool>) {}

  where(): string {
    return this.pool.current.url;
  }
}
// end

// docs: check
@Injectable()
class StockCheck extends ChangeCheck {
  override readonly name = 'stock';
  failures = 0;

  override begin(): void {
    this.failures = 0;
  }

  override problem(): string | undefined {
    return this.failures > 5 ? `${this.failures} calls to stock failed` : undefined;
  }
}
// end

async function start(source: MemorySource, options: object = {}, parts: object = {}) {
  const { app, url } = await startApp({
    imports: [
      ConfigClientModule.forRoot({ name: 'orders', source, ...options }),
      ...((parts as { imports?: [] }).imports ?? []),
    ],
    providers: (parts as { providers?: [] }).providers ?? [],
    controllers: (parts as { controllers?: [] }).controllers ?? [],
  });
  return { app, url };
}

describe('the page about the config client', () => {
  it('shows what is compiled and run here, word for word', () => {
    const here = readFileSync(join(import.meta.dirname, 'documentation.spec.ts'), 'utf8');
    const shown = [...here.matchAll(/^ *\/\/ docs: [\w-]+\n([\s\S]*?)^ *\/\/ end$/gm)].map(
      ([, text = '']) => outdented(text),
    );
    const blocks = [...PAGE.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
    expect(shown.length).toBeGreaterThan(8);
    expect(
      blocks.filter((block) => !shown.includes(block) && !block.startsWith('import ')),
    ).toEqual([]);
    expect(shown.filter((text) => !blocks.includes(text))).toEqual([]);
  });

  it('reads values', async () => {
    const checkout = { discount: 5, currency: 'EUR', shop: 'the shop' };
    const source = new MemorySource({ checkout });
    const { app } = await start(source, {}, { providers: [Checkout] });
    expect(app.get(Checkout).total(20)).toBe('15 EUR of the shop');
    source.set({ checkout: { ...checkout, discount: 7 } });
    await eventually(() => expect(app.get(Checkout).heard).toEqual(['checkout.discount in 2']));
    await app.close();
  });

  it('starts with several sources', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rookery-docs-'));
    const path = join(folder, 'config.yml');
    writeFileSync(path, 'db:\n  pool:\n    max: 5\n');
    const upper = new MemorySource({ db: { pool: { max: 9 } } });
    // docs: sources
    const module = ConfigClientModule.forRoot({
      name: 'orders',
      profiles: ['prod', 'eu'],
      sources: [upper, configFile(path)],
      defaults: { db: { pool: { max: 1 } } },
    });
    // end
    const app = await Test.createTestingModule({ imports: [module] }).compile();
    const config = app.get(ConfigClient);
    // docs: explain
    const { winner, layers } = config.explain('db.pool.max');
    const said = layers.map(
      ({ name, value, origin }) => `${name} says ${String(value)} at ${origin ?? 'no line'}`,
    );
    // end
    expect(winner).toBe('memory');
    expect(said).toEqual([
      'memory says 9 at no line',
      `file:${path} says 5 at file:${path}:3:10`,
      'local defaults says 1 at no line',
    ]);
    await app.close();
    rmSync(folder, { recursive: true });
  });

  it('has sections', async () => {
    const source = new MemorySource({ db: { url: 'pg://a' }, mail: { from: 'a@example.com' } });
    const { app } = await start(source, {}, { imports: [OrdersModule, MailModule] });
    expect(app.get(Orders, { strict: false }).db.poolMax).toBe(10);
    expect(app.get(Mailer, { strict: false }).mail.retries).toBe(3);
    await app.close();
  });

  it('has flags', async () => {
    const source = new MemorySource({ features: { gifts: true, newGifts: { allow: ['ada'] } } });
    const { app, url } = await start(source, {}, { controllers: [CartController] });
    expect(await (await fetch(`${url}/cart/gifts`)).text()).toBe('new');
    await app.close();
  });

  it('has refreshable providers', async () => {
    const source = new MemorySource({ db: { url: 'a' } });
    const { app } = await start(source, {}, { providers: [poolProvider, Reports] });
    source.set({ db: { url: 'b' } });
    await eventually(() => expect(app.get(Reports).where()).toBe('b'));
    await app.close();
  });

  it('has safety: rules, a snapshot, and a way back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rookery-docs-'));
    const path = join(folder, 'snapshot');
    const source = new MemorySource({ db: { url: 'pg://a' } });
    process.env['CONFIG_SNAPSHOT_KEY'] = 'a random text of 32 characters..';
    // docs: safety
    const module = ConfigClientModule.forRoot({
      name: 'orders',
      source,
      validate: z.object({ db: z.object({ url: z.string().startsWith('pg:') }) }),
      snapshot: path,
      rollback: { window: '30s', errorRate: 0.2 },
      decrypt: { key: process.env['ENCRYPT_KEY'] ?? 'the key of the config server' },
    });
    // end
    const { app } = await startApp({ imports: [module], providers: [StockCheck] });
    delete process.env['CONFIG_SNAPSHOT_KEY'];
    await eventually(() => readFileSync(path));
    source.set({ db: { url: 'mysql://a' } });
    source.set({ db: { url: 'pg://b' } });
    await eventually(() => expect(app.get(ConfigClient).get('db.url')).toBe('pg://b'));
    app.get(StockCheck).failures = 9;
    await eventually(() => expect(app.get(ConfigClient).get('db.url')).toBe('pg://a'));
    await app.close();
    rmSync(folder, { recursive: true });
  });
});

/** The page begins at the left margin. */
function outdented(text: string): string {
  const margin = /^ */.exec(text)?.[0].length ?? 0;
  return text
    .split('\n')
    .map((line) => line.slice(line.startsWith(' ') ? margin : 0))
    .join('\n');
}
