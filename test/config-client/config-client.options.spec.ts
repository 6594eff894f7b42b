import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidOptionsError } from '../../lib/common/errors.js';
import { readConfigClientOptions } from '../../lib/config-client/config-client.options.js';

const NAMES = ['CONFIG_URL', 'CONFIG_SNAPSHOT_KEY', 'APP_PROFILE', 'NODE_ENV'] as const;
const before = Object.fromEntries(NAMES.map((name) => [name, process.env[name]]));

function restore(): void {
  for (const name of NAMES) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
}

beforeEach(() => {
  for (const name of NAMES) delete process.env[name];
});
afterEach(restore);

describe('the options of the config client', () => {
  it('have defaults', () => {
    expect(readConfigClientOptions(undefined)).toEqual({
      url: [],
      profiles: ['default'],
      failFast: false,
      startTimeout: 3_000,
      refresh: { interval: 30_000, push: true },
      retry: { first: 100, most: 1_000 },
      headers: {},
      features: {},
    });
  });

  it('read CONFIG_URL, APP_PROFILE and NODE_ENV', () => {
    process.env['CONFIG_URL'] = 'http://a:8888, https://user:pass@b/config';
    process.env['NODE_ENV'] = 'production';
    expect(readConfigClientOptions({}).url.map(({ host }) => host)).toEqual(['a:8888', 'b']);
    expect(readConfigClientOptions({}).profiles).toEqual(['production']);
    process.env['APP_PROFILE'] = 'prod, eu';
    expect(readConfigClientOptions({}).profiles).toEqual(['prod', 'eu']);
  });

  it.each<[unknown, string]>([
    [
      { url: 'config-server:8888' },
      "config.url is not an http address. Write it like 'http://config-server:8888'.",
    ],
    [{ url: 'ftp://x' }, 'config.url is not an http address.'],
    [{ url: 3 }, 'config.url is not a text.'],
    [{ urls: 'http://x' }, 'config.urls is not an option. Did you mean "url"?'],
    [{ refresh: { interval: '10ms' } }, 'config.refresh.interval is 10ms. Make it at least 1s.'],
    [{ profiles: ['../x'] }, "config.profiles has '../x'."],
    [{ profiles: 3 }, 'config.profiles is 3, not a list.'],
    [
      { validate: {} },
      'config.validate is an object. It must be a Standard Schema, a class or a function.',
    ],
    [{ source: {} }, 'config.source is an object. It must be a ConfigSource, or what'],
    [
      { snapshot: 'x' },
      'config.snapshot has no key. Set CONFIG_SNAPSHOT_KEY or config.snapshot.key',
    ],
    [{ snapshot: { path: 'x', key: 'short' } }, 'has a key of less than 16 characters'],
    [{ decrypt: {} }, 'config.decrypt has no key'],
    [{ rollback: { errorRate: 3 } }, 'config.rollback.errorRate is 3. Keep it between 0 and 1.'],
    [{ defaults: [] }, 'config.defaults is a list. It must be a plain object.'],
    [{ failFast: 'yes' }, "config.failFast is 'yes'. Make it true or false."],
  ])('refuse %j', (options, sentence) => {
    expect(() => readConfigClientOptions(options)).toThrow(InvalidOptionsError);
    expect(() => readConfigClientOptions(options)).toThrow(sentence);
  });

  it('never repeat a password', () => {
    const url = 'http//user:hunter22@host';
    expect(() => readConfigClientOptions({ url })).toThrow('config.url is not an http address');
    expect(() => readConfigClientOptions({ url })).not.toThrow('hunter22');
  });
});
