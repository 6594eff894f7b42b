import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventHub } from '../../lib/common/event-hub.js';
import { ConfigAssembler } from '../../lib/config-server/config-assembler.js';
import { ConfigPublisher } from '../../lib/config-server/config-publisher.js';
import {
  ConfigRepository,
  type RepositorySnapshot,
} from '../../lib/config-server/config-repository.js';
import { readConfigServerOptions } from '../../lib/config-server/config-server.options.js';
import { ConfigServerContributor } from '../../lib/config-server/config-server.contributor.js';
import { MemoryRepository } from '../../lib/config-server/repositories/memory.repository.js';
import { Availability } from '../../lib/health/availability.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';

/** Counts who watches, and breaks or hangs when told to. */
class CountingRepository extends ConfigRepository {
  readonly watched: string[] = [];
  open = 0;
  broken: string | undefined;
  hangs = false;
  readonly inner = new MemoryRepository({ orders: [{ name: 'm', source: { a: 1 } }] });

  override async *watch(
    application: string,
    profiles: readonly string[],
    label: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<RepositorySnapshot> {
    this.watched.push(application);
    this.open++;
    try {
      if (this.broken !== undefined) throw new Error(this.broken);
      if (this.hangs) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield* this.inner.watch(application, profiles, label, signal);
    } finally {
      this.open--;
    }
  }
}

const assembler = (given: ConfigRepository) =>
  new ConfigAssembler(readConfigServerOptions({ repository: given }));

const QUERY = { application: 'orders', profiles: ['prod'] };
let clock: FakeClock;
let events: EventHub;
let repository: CountingRepository;
let publisher: ConfigPublisher;

const ask = (application = 'orders', known: readonly string[] = [], limit = 0) =>
  publisher.publish(
    { ...QUERY, application },
    { has: ({ version }) => known.includes(version), limit, signal: new AbortController().signal },
  );

beforeEach(() => {
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  clock = new FakeClock();
  events = new EventHub();
  repository = new CountingRepository();
  publisher = new ConfigPublisher(repository, clock, events, assembler(repository));
});

afterEach(async () => {
  await publisher.onModuleDestroy();
  jest.restoreAllMocks();
});

describe('the publisher', () => {
  it('watches once for everyone who asks alike', async () => {
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(new Set(answers.map(({ version }) => version)).size).toBe(1);
    await ask('stock');
    expect(repository.watched).toEqual(['orders', 'stock']);
  });

  it('has the same version for the same content, and announces another', async () => {
    const published: unknown[] = [];
    events.on('config.published', (event) => published.push(event));
    const { version } = await ask();
    repository.inner.set({ orders: [{ name: 'm', source: { a: 1 } }] });
    await clock.advance(0);
    expect((await ask()).version).toBe(version);
    const waiting = ask('orders', [version], 30_000);
    repository.inner.set({ orders: [{ name: 'm', source: { a: 2 } }] });
    const next = await waiting;
    expect(next.sources[0]?.source).toEqual({ a: 2 });
    expect(published).toEqual([{ application: 'orders', version: next.version }]);
  });

  it('gives the same again when the time is over, and forgets who has waited', async () => {
    const { version } = await ask();
    const before = clock.waiting;
    const waiting = ask('orders', [version], 30_000);
    await clock.advance(30_000);
    expect((await waiting).version).toBe(version);
    expect(clock.waiting).toBe(before);
  });

  it('closes what nobody has asked for in a while', async () => {
    await ask();
    await clock.advance(4 * 60_000);
    await ask('stock');
    expect(repository.open).toBe(2);
    await clock.advance(2 * 60_000);
    expect(repository.open).toBe(1);
    await clock.advance(10 * 60_000);
    expect(repository.open).toBe(0);
    expect((await ask()).sources).toHaveLength(1);
  });

  it('watches no more than a bounded number, whatever names strangers ask for', async () => {
    for (let at = 0; at < 600; at++) await ask(`name-${at}`);
    await clock.advance(0);
    expect(repository.open).toBe(500);
  });

  it('tells once why a repository cannot be read, in its health too, and heals', async () => {
    const failures: unknown[] = [];
    events.on('repository.failed', (event) => failures.push(event));
    const health = new ConfigServerContributor(publisher);
    repository.broken = 'orders.yml:3: broken';
    await expect(ask()).rejects.toThrow('orders.yml:3: broken');
    await clock.advance(5_000);
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_CONFIG_REPOSITORY', statusCode: 503 });
    expect(failures).toEqual([{ application: 'orders', reason: 'orders.yml:3: broken' }]);
    expect(health.check()).toEqual({
      status: 'degraded',
      details: { failures: ['orders.yml:3: broken'] },
    });
    repository.broken = undefined;
    await clock.advance(1_000);
    expect((await ask()).sources).toHaveLength(1);
    expect(health.check()).toEqual({ status: 'up' });
  });

  it('does not wait for ever for a repository that hangs', async () => {
    repository.hangs = true;
    const refused = expect(ask()).rejects.toThrow('The repository does not answer.');
    await clock.advance(5_000);
    await refused;
  });

  it('lets those go who wait when the service begins to leave, and still answers who does not wait', async () => {
    const { version } = await ask();
    const availability = new Availability(events);
    const refused = expect(ask('orders', [version], 30_000)).rejects.toMatchObject({
      statusCode: 503,
    });
    availability.become('draining');
    await refused;
    await expect(ask('orders', [version], 30_000)).rejects.toMatchObject({
      code: 'ERR_CONFIG_STOPPING',
    });
    expect((await ask()).version).toBe(version);
    expect((await ask('stock')).sources).toEqual([]);
  });

  it('lets a client go that hangs up', async () => {
    const { version } = await ask();
    const before = clock.waiting;
    const gone = new AbortController();
    const waiting = publisher.publish(QUERY, {
      has: (config) => config.version === version,
      limit: 30_000,
      signal: gone.signal,
    });
    await clock.advance(0);
    gone.abort();
    await waiting;
    expect(clock.waiting).toBe(before);
  });
});
