import {
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Logger,
  Module,
  type Provider,
} from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventHub } from '../../lib/common/event-hub.js';
import { ChangeCheck } from '../../lib/config-client/change-check.js';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import { ConfigContributor } from '../../lib/config-client/config-client.contributor.js';
import { ConfigLoader } from '../../lib/config-client/config-loader.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import type { ConfigClientOptions } from '../../lib/config-client/config-client.options.js';
import { MemorySource } from '../../lib/config-client/sources/memory.source.js';
import { HealthContributor, type HealthReport } from '../../lib/health/health-contributor.js';
import { HealthModule } from '../../lib/health/health.module.js';
import { startApp } from '../config-server/config-apps.js';
import { eventually } from '../support/eventually.js';

/** A database that is there only at the right address. */
@Injectable()
class Database extends HealthContributor {
  override readonly name = 'db';
  constructor(private readonly config: ConfigClient) {
    super();
  }
  override check(): HealthReport {
    return { status: this.config.get('db.port') === 5432 ? 'up' : 'down' };
  }
}

/** A check of the application's own. */
@Injectable()
class Stock extends ChangeCheck {
  override readonly name = 'stock';
  constructor(private readonly config: ConfigClient) {
    super();
  }
  override problem() {
    return this.config.get<number>('stock.size', 0) > 5 ? 'stock does not answer' : undefined;
  }
}

@Controller('quote')
class QuoteController {
  constructor(private readonly config: ConfigClient) {}
  @Get()
  quote() {
    if (this.config.get('quote.broken', false)) throw new Error('no quote');
    return 'a quote';
  }
}

const apps: INestApplication[] = [];
const errors: string[] = [];

async function start(tree: object, options: ConfigClientOptions, providers: Provider[] = []) {
  const source = new MemorySource({ ...tree });
  @Module({
    imports: [
      HealthModule.forRoot(),
      ConfigClientModule.forRoot({ name: 'quotes', source, ...options }),
    ],
    controllers: [QuoteController],
    providers,
  })
  class QuotesModule {}
  const { app, url } = await startApp({ imports: [QuotesModule] });
  apps.push(app);
  const reverted: unknown[] = [];
  app.get(EventHub).on('config.reverted', (event) => reverted.push(event));
  const report = () => app.get(ConfigContributor).check();
  return { app, url, source, config: app.get(ConfigClient), reverted, report };
}

beforeEach(() => {
  jest.spyOn(Logger.prototype, 'error').mockImplementation((message) => {
    errors.push(String(message));
  });
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  errors.length = 0;
  jest.restoreAllMocks();
});

describe('a configuration that does harm', () => {
  it('is taken back when readiness fails after it, stays refused, and a better one is taken', async () => {
    const { source, config, reverted, report } = await start(
      { db: { port: 5432 }, size: 1 },
      { rollback: true },
      [Database],
    );
    const seen: unknown[] = [];
    config.onChange('db.port', () => seen.push(config.get('db.port')));
    source.set({ db: { port: 1 }, size: 2 });
    await eventually(() => expect(reverted).toHaveLength(1), 15_000);
    expect(reverted).toEqual([{ version: '2', to: '1', reason: 'readiness failed after it (db)' }]);
    expect(config.get('db.port')).toBe(5432);
    expect(config.version).toBe('1');
    expect(seen).toEqual([1, 5432]);
    expect(report()).toMatchObject({
      status: 'degraded',
      details: { rejected: ['readiness failed after it (db)'] },
    });
    expect(errors).toContain(
      'The configuration 2 was taken back: readiness failed after it (db). The one before it is in use again; publish a better one.',
    );

    // The same values under another version are the same harm.
    source.set({ db: { port: 1 }, size: 2 });
    await eventually(() =>
      expect(errors.join()).toContain(
        'is not valid and was refused: readiness failed after it (db)',
      ),
    );
    expect(config.get('size')).toBe(1);
    source.set({ db: { port: 5432 }, size: 3 });
    await eventually(() => expect(config.get('size')).toBe(3));
    expect(report().status).toBe('up');
  }, 30_000);

  it('is taken back when more answers fail than before', async () => {
    const { source, url, config, reverted } = await start(
      { quote: { broken: false } },
      { rollback: { window: '20s', errorRate: 0.3, requests: 10 } },
    );
    const ask = async () => (await fetch(`${url}/quote`)).status;
    for (let at = 0; at < 10; at++) expect(await ask()).toBe(200);
    source.set({ quote: { broken: true } });
    await eventually(() => expect(config.get('quote.broken')).toBe(true));
    for (let at = 0; at < 10; at++) expect(await ask()).toBe(500);
    await eventually(() => expect(reverted).toHaveLength(1));
    expect(reverted).toEqual([
      { version: '2', to: '1', reason: '100 % of 10 answers failed after it, 0 % before' },
    ]);
    expect(await ask()).toBe(200);
  });

  it('is taken back when the application says so itself', async () => {
    const options = { rollback: { window: '20s' } } as const;
    const { source, config, reverted } = await start({ stock: { size: 1 } }, options, [Stock]);
    source.set({ stock: { size: 9 } });
    await eventually(() => expect(reverted).toMatchObject([{ reason: 'stock does not answer' }]));
    expect(config.get('stock.size')).toBe(1);
  });

  it('stays when its window is over, and is then what a later one is taken back to', async () => {
    const options = { rollback: { window: '300ms' } } as const;
    const { source, config, reverted } = await start({ stock: { size: 1 } }, options, [Stock]);
    const proved = jest.spyOn(ConfigLoader.prototype, 'prove');
    source.set({ stock: { size: 2 } });
    await eventually(() => expect(proved).toHaveBeenCalledTimes(1));
    expect(config.get('stock.size')).toBe(2);
    expect(reverted).toEqual([]);
    source.set({ stock: { size: 9 } });
    await eventually(() => expect(reverted).toMatchObject([{ version: '3', to: '2' }]));
    expect(config.get('stock.size')).toBe(2);
  });

  it('stays where nobody asked for a way back', async () => {
    const { source, config, reverted } = await start({ db: { port: 5432 } }, {}, [Database]);
    source.set({ db: { port: 1 } });
    await eventually(() => expect(config.get('db.port')).toBe(1));
    expect(reverted).toEqual([]);
  });
});
