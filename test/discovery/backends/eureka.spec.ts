import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eureka } from '../../../lib/discovery/backends/eureka.backend.js';
import type { DiscoveryBackend } from '../../../lib/discovery/discovery-backend.js';
import { describeDiscoveryBackend } from '../../../lib/testing/discovery-backend.contract.js';
import { eventually } from '../../support/eventually.js';
import { makeContext, makeInstance } from './support/backend-fixtures.js';
import { EurekaServer } from './support/eureka-server.js';
import { follow } from './support/follow.js';

const server = new EurekaServer();
const { signal } = new AbortController();
let url = '';

beforeAll(async () => {
  url = await server.listen();
});
afterAll(() => server.close());

describeDiscoveryBackend('eureka', () => eureka({ url, every: '100ms' }), {
  describe,
  it,
  crash: 'expires',
  forget: () => server.forget(),
});

describe('eureka', () => {
  let backend: DiscoveryBackend;
  const lives: { close(): void }[] = [];
  beforeAll(() => {
    backend = eureka({ url, every: '100ms' })(makeContext());
  });
  afterEach(() => lives.splice(0).forEach((live) => live.close()));
  afterAll(() => backend.close?.());

  it('asks for what has changed only, and for everything when that does not add up', async () => {
    const lease = await backend.registry?.register(makeInstance({ id: 'sum-1' }), signal);
    const live = follow(backend, 'orders');
    lives.push(live);
    await eventually(() => expect(live.current.map(({ id }) => id)).toContain('sum-1'));
    server.requests.length = 0;
    await eventually(() => expect(server.requests.length).toBeGreaterThan(3));
    expect(new Set(server.requests)).toEqual(new Set(['GET /apps/delta']));
    server.lies = true;
    await eventually(() => expect(server.requests).toContain('GET /apps'));
    server.lies = false;
    await lease?.revoke(signal);
  });

  it('reads what a client in Java registered', async () => {
    await fetch(`${url}/apps/LEDGER`, {
      method: 'POST',
      body: JSON.stringify({
        instance: {
          instanceId: 'ledger-host:ledger:8443',
          app: 'LEDGER',
          hostName: 'ledger.internal',
          ipAddr: '10.0.0.9',
          status: 'UP',
          port: { $: 8080, '@enabled': 'false' },
          securePort: { $: 8443, '@enabled': 'true' },
          leaseInfo: { durationInSecs: 90 },
          metadata: { zone: 'eu-1', '@class': 'java.util.Collections$EmptyMap', owner: 'finance' },
        },
      }),
    });
    const live = follow(backend, 'ledger');
    lives.push(live);
    await eventually(() =>
      expect(live.current).toEqual([
        makeInstance({
          id: 'ledger-host:ledger:8443',
          service: 'ledger',
          host: '10.0.0.9',
          port: 8443,
          scheme: 'https',
          zone: 'eu-1',
          metadata: { owner: 'finance' },
        }),
      ]),
    );
  });

  it('says what is wrong when the context is missing in the address', async () => {
    const wrong = eureka({ url: url.replace('/eureka', '/elsewhere') })(makeContext());
    await expect(wrong.registry?.register(makeInstance(), signal)).resolves.toBeDefined();
    await wrong.close?.();
  });
});
