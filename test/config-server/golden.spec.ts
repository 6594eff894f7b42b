import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parse } from 'yaml';
import { ConfigServerModule } from '../../lib/config-server/config-server.module.js';
import { fileRepository } from '../../lib/config-server/repositories/file.repository.js';
import { startApp } from './config-apps.js';

const GOLDEN = join(import.meta.dirname, 'golden');
const golden = (name: string) => readFileSync(join(GOLDEN, name), 'utf8');

/** Written from the documented format of Spring Cloud Config and its source; no Spring server runs here. */
describe('the golden files of the config server', () => {
  let started: Awaited<ReturnType<typeof startApp>>;
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${started.url}${path}`, { headers });

  beforeAll(async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const repository = fileRepository({ path: join(GOLDEN, 'repository') });
    const overrides = { audit: { enabled: true }, greeting: String.raw`\${banner}` };
    const module = ConfigServerModule.forRoot({ repository, overrides, encrypt: { key: 'foo' } });
    started = await startApp({ imports: [module] });
  });

  afterAll(async () => {
    await started.app.close();
    jest.restoreAllMocks();
  });

  it('hold for the environment: precedence, documents, flat keys, secrets', async () => {
    const { version, ...environment } = (await (await ask('/orders/prod,eu')).json()) as {
      version: string;
    };
    expect(version).toMatch(/^[0-9a-f]{32}$/);
    const expected: unknown = JSON.parse(golden('environment.json'));
    expect(environment).toEqual(expected);
    // The order is part of the format.
    expect(JSON.stringify(environment)).toBe(JSON.stringify(expected));
  });

  it('hold for the environment with origins', async () => {
    const accept = 'application/vnd.spring-cloud.config-server.v2+json';
    const traced = (await (await ask('/orders/prod,eu', { accept })).json()) as {
      propertySources: {
        name: string;
        source: Record<string, { value: unknown; origin: string }>;
      }[];
    };
    const plain = JSON.parse(golden('environment.json')) as {
      propertySources: { name: string; source: Record<string, unknown> }[];
    };
    const values = traced.propertySources.map(({ name, source }) => ({
      name,
      source: Object.fromEntries(Object.entries(source).map(([key, { value }]) => [key, value])),
    }));
    expect(values).toEqual(plain.propertySources);
    expect(traced.propertySources[2]?.source['db.pool.max']).toEqual({
      value: 50,
      origin: 'file:orders-prod.yml:4:10',
    });
    expect(traced.propertySources[2]?.source['invalid.db.broken']?.origin).toBe(
      'file:orders-prod.yml:6:11',
    );
  });

  it('hold for the flat formats: lists replaced, clashes kept, placeholders filled', async () => {
    const json = await ask('/orders-prod,eu.json');
    expect(json.headers.get('content-type')).toBe('application/json');
    expect(await json.json()).toEqual(JSON.parse(golden('flat.json')));
    const properties = await ask('/orders-prod,eu.properties');
    expect(properties.headers.get('content-type')).toBe('text/plain;charset=UTF-8');
    expect((await properties.text()).split('\n').toSorted()).toEqual(
      golden('flat.properties').trimEnd().split('\n').toSorted(),
    );
    for (const ending of ['yml', 'yaml']) {
      const yaml = await ask(`/orders-prod,eu.${ending}?resolvePlaceholders=false`);
      expect(parse(await yaml.text())).toEqual(parse(golden('unresolved.yml')));
    }
  });
});
