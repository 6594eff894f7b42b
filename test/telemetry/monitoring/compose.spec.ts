import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

const SHOP = join(process.cwd(), 'sample/shop');
const read = (name: string): unknown =>
  parse(readFileSync(join(SHOP, name), 'utf8'), { merge: true }) as unknown;

interface Service {
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
  readonly secrets: Readonly<Record<string, object>>;
}

/** Compose itself needs Docker; what can be wrong without it is looked at here. */
describe("the shop's compose file", () => {
  const { services, volumes, secrets } = read('compose.yaml') as Compose;

  it('names no service, volume, secret and file that is not there', () => {
    for (const [name, service] of Object.entries(services)) {
      for (const other of service.depends_on ?? []) expect(services).toHaveProperty(other);
      for (const secret of service.secrets ?? []) expect(secrets).toHaveProperty(secret);
      for (const mounted of service.volumes ?? []) {
        const [from = ''] = mounted.split(':');
        if (from.startsWith('.'))
          expect([name, from, existsSync(join(SHOP, from))]).toContain(true);
        else if (!from.startsWith('/')) expect(volumes).toHaveProperty(from);
      }
    }
  });

  it('lets Prometheus in everywhere, and tells it where to ask', async () => {
    for (const name of ['config-server', 'gateway', 'orders', 'inventory', 'payments'])
      expect(services[name]?.environment).toHaveProperty('MANAGEMENT_TOKEN');
    const path = '../../../scripts/monitoring/scrape.mjs';
    const scrape = (await import(path)) as { prometheusConfig(parts: object): unknown };
    expect(read('observability/prometheus.yml')).toEqual(
      scrape.prometheusConfig({
        targets: 'http://gateway:8080/management/targets',
        tokenFile: '/run/secrets/management-token',
      }),
    );
    expect(services['prometheus']?.secrets).toEqual(['management-token']);
  });

  it('gives Grafana its sources', () => {
    const { datasources } = read('observability/datasources.yml') as {
      readonly datasources: readonly { readonly url: string }[];
    };
    for (const { url } of datasources) expect(services).toHaveProperty(new URL(url).hostname);
  });
});
