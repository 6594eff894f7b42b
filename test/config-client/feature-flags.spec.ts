import { Controller, Get, type INestApplication, Logger, Module } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import type { ConfigClientOptions } from '../../lib/config-client/config-client.options.js';
import { FeatureFlag } from '../../lib/config-client/feature-flag.guard.js';
import { FeatureFlags } from '../../lib/config-client/feature-flags.js';
import { MemorySource } from '../../lib/config-client/sources/memory.source.js';
import { type Platform, startApp } from '../config-server/config-apps.js';
import { eventually } from '../support/eventually.js';

@FeatureFlag('shop')
@Controller('shop')
class ShopController {
  @Get('old')
  old() {
    return 'old';
  }

  @FeatureFlag('checkout')
  @Get('new')
  new() {
    return 'new';
  }
}

const apps: INestApplication[] = [];
const warnings: string[] = [];

async function start(
  features: object,
  options: ConfigClientOptions = {},
  platform: Platform = 'express',
) {
  const source = new MemorySource({ features });
  @Module({
    imports: [ConfigClientModule.forRoot({ name: 'shop', source, ...options })],
    controllers: [ShopController],
  })
  class ShopModule {}
  const { app, url } = await startApp({ imports: [ShopModule] }, { platform });
  apps.push(app);
  return { flags: app.get(FeatureFlags), source, url };
}

beforeEach(() => {
  jest.spyOn(Logger.prototype, 'warn').mockImplementation((message) => {
    warnings.push(String(message));
  });
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  warnings.length = 0;
  jest.restoreAllMocks();
});

const subject = (request: { headers: Record<string, string> }) => request.headers['x-user'];

const subjects = Array.from({ length: 2_000 }, (_, at) => `user-${at}`);

describe('a feature flag', () => {
  it('is on, off, or off because nobody wrote it', async () => {
    const { flags } = await start({
      a: true,
      b: false,
      c: 'true',
      d: { enabled: false, percentage: 100 },
    });
    expect(['a', 'b', 'c', 'd', 'e', '__proto__'].map((flag) => flags.isEnabled(flag))).toEqual([
      true,
      false,
      true,
      false,
      false,
      false,
    ]);
    expect(warnings).toEqual([]);
  });

  it('by percentage is on for about that share, always the same subjects, and for more as it grows', async () => {
    const { flags, source } = await start({ a: { percentage: 20 }, b: { percentage: 20 } });
    const on = (flag: string) => subjects.filter((subject) => flags.isEnabled(flag, subject));
    const few = on('a');
    expect(few.length).toBeGreaterThan(340);
    expect(few.length).toBeLessThan(460);
    expect(on('a')).toEqual(few);
    // Another flag takes others, so that the same people are not always the first.
    expect(on('b').filter((subject) => few.includes(subject)).length).toBeLessThan(140);
    expect(flags.isEnabled('a')).toBe(false);
    source.set({ features: { a: { percentage: 60 } } });
    await eventually(() => expect(on('a').length).toBeGreaterThan(1_000));
    expect(on('a')).toEqual(expect.arrayContaining(few));
    // The hash is part of the contract: every process, and every version, must say the same.
    source.set({ features: { checkout: { percentage: 50 } } });
    await eventually(() => expect(flags.isEnabled('a', few[0])).toBe(false));
    expect(subjects.slice(0, 8).map((each) => flags.isEnabled('checkout', each))).toEqual([
      true,
      false,
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  it('knows whom it lets in and whom never', async () => {
    const { flags } = await start({
      a: { percentage: 0, allow: ['ada', 7] },
      b: { percentage: 100, deny: 'bob, eve' },
      c: { allow: ['ada'] },
    });
    expect([
      flags.isEnabled('a', 'ada'),
      flags.isEnabled('a', '7'),
      flags.isEnabled('a', 'bob'),
    ]).toEqual([true, true, false]);
    expect([
      flags.isEnabled('b', 'ada'),
      flags.isEnabled('b', 'eve'),
      flags.isEnabled('b'),
    ]).toEqual([true, false, true]);
    expect([
      flags.isEnabled('c', 'ada'),
      flags.isEnabled('c', 'bob'),
      flags.isEnabled('c'),
    ]).toEqual([true, false, false]);
  });

  it.each([
    3,
    'maybe',
    ['a'],
    { percentage: 101 },
    { percentage: 'x' },
    { enabled: 'x' },
    { allow: { a: 1 } },
  ])('that cannot be understood (%j) is off, and told once', async (value) => {
    const { flags } = await start({ a: value });
    expect([flags.isEnabled('a', 'ada'), flags.isEnabled('a', 'bob')]).toEqual([false, false]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('features.a is no flag and counts as off. Make it true, false,');
  });

  it.each<Platform>(['express', 'fastify'])('opens and closes handlers on %s', async (platform) => {
    const features = { shop: true, checkout: { allow: ['ada'] } };
    const { url, source } = await start(features, { features: { subject } }, platform);
    const status = async (path: string, user: string) =>
      (await fetch(`${url}/shop/${path}`, { headers: { 'x-user': user } })).status;
    expect([
      await status('old', 'bob'),
      await status('new', 'ada'),
      await status('new', 'bob'),
    ]).toEqual([200, 200, 404]);
    source.set({ features: { shop: false, checkout: true } });
    await eventually(async () => expect(await status('new', 'ada')).toBe(404));
    expect(await status('old', 'ada')).toBe(404);
  });
});
