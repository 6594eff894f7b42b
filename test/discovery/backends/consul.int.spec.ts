import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../../../lib/common/clock.js';
import { Live } from '../../../lib/common/live.js';
import { consul } from '../../../lib/discovery/backends/consul.backend.js';
import type { DiscoveryBackend } from '../../../lib/discovery/discovery-backend.js';
import type { ServiceInstance } from '../../../lib/discovery/service-instance.js';
import { describeDiscoveryBackend } from '../../../lib/testing/discovery-backend.contract.js';
import { freePorts, startAgent } from '../../support/consul/agent.mjs';
import { makeContext, makeInstance } from './support/backend-fixtures.js';
import { eventually } from '../../support/eventually.js';

const url = process.env['CONSUL_URL'] ?? '';
const { signal } = new AbortController();

function follow(backend: DiscoveryBackend, service: string): Live<readonly ServiceInstance[]> {
  return new Live({
    clock: new SystemClock(),
    open: (signal) => backend.source.instances(service, signal),
  });
}

async function put(path: string, body?: object): Promise<void> {
  const answer = await fetch(`${url}/v1/${path}`, {
    method: 'PUT',
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

describeDiscoveryBackend('consul', () => consul({ url, wait: '10s' }), {
  describe,
  it,
  crash: 'expires',
});

describe('consul beside others in one registry', () => {
  const backend = consul({ url, wait: '2s' })(makeContext());
  afterAll(() => backend.close?.());

  it('reads a service that someone else registered, without our meta', async () => {
    await put('agent/service/register', {
      ID: 'ledger-1',
      Name: 'ledger',
      Port: 9_000,
      Meta: { secure: 'true', 'port-admin': '9001', owner: 'finance' },
      Weights: { Passing: 7, Warning: 1 },
    });
    const live = follow(backend, 'ledger');
    await eventually(() =>
      expect(live.current).toEqual([
        {
          id: 'ledger-1',
          service: 'ledger',
          host: '127.0.0.1',
          port: 9_000,
          ports: { admin: 9_001 },
          scheme: 'https',
          status: 'up',
          weight: 7,
          tags: [],
          metadata: { secure: 'true', owner: 'finance' },
        },
      ]),
    );
    live.close();
    await put('agent/service/deregister/ledger-1');
  });

  it('takes maintenance for draining, and registering again ends it', async () => {
    const instance = makeInstance({ id: 'till-1', service: 'till' });
    const lease = await backend.registry?.register(instance, signal);
    const live = follow(backend, 'till');
    await put('agent/service/maintenance/till-1?enable=true&reason=upgrade');
    await eventually(() => expect(live.current.map((each) => each.status)).toEqual(['draining']));
    await backend.registry?.register(instance, signal);
    await eventually(() => expect(live.current).toEqual([instance]));
    live.close();
    await lease?.revoke(signal);
  });

  it('carries what Consul has no field for', async () => {
    const instance = makeInstance({
      id: 'odd-1',
      service: 'odd',
      weight: 0.25,
      host: '2001:db8::7',
      ports: { tcp: 4_001 },
    });
    const lease = await backend.registry?.register(instance, signal);
    const live = follow(backend, 'odd');
    await eventually(() => expect(live.current).toEqual([instance]));
    live.close();
    await lease?.revoke(signal);
  });

  it("gives callers the agent's own address in place of a loopback one", async () => {
    const instance = makeInstance({ id: 'near-1', service: 'near', host: '::1' });
    const lease = await backend.registry?.register(instance, signal);
    const live = follow(backend, 'near');
    await eventually(() => expect(live.current).toEqual([{ ...instance, host: '127.0.0.1' }]));
    live.close();
    await lease?.revoke(signal);
  });

  it('hears of a lost lease when the agent was told to forget the instance', async () => {
    const lease = await backend.registry?.register(makeInstance({ id: 'gone-1' }), signal);
    await put('agent/service/deregister/gone-1');
    expect(await lease?.renew('up', signal)).toBe('lost');
    await expect(lease?.revoke(signal)).resolves.toBeUndefined();
  });

  it('lets the agent probe an instance that asks for it', async () => {
    const probing = consul({ url, check: { http: '/health', interval: '1s', timeout: '500ms' } })(
      makeContext(),
    );
    const nobody = makeInstance({ id: 'probed-1', service: 'probed', port: 1 });
    const lease = await probing.registry?.register(nobody, signal);
    const live = follow(backend, 'probed');
    await eventually(() => expect(live.current.map((each) => each.status)).toEqual(['down']));
    live.close();
    await lease?.revoke(signal);
    await probing.close?.();
  });

  it('does not wait for a slot when more services are watched than queries may wait', async () => {
    const many = Array.from({ length: 40 }, (_, n) => follow(backend, `crowd-${n}`));
    const from = performance.now();
    await Promise.all(many.map((live) => live.ready()));
    expect(performance.now() - from).toBeLessThan(1_500);
    const last = makeInstance({ id: 'crowd-39-1', service: 'crowd-39' });
    const lease = await backend.registry?.register(last, signal);
    await eventually(() => expect(many[39]?.current).toEqual([last]));
    for (const live of many) live.close();
    await lease?.revoke(signal);
  });
});

describe('consul when its agent dies and comes back empty', () => {
  let backend: DiscoveryBackend;
  let agent: Awaited<ReturnType<typeof startAgent>>;
  let ports: Awaited<ReturnType<typeof freePorts>>;

  beforeAll(async () => {
    ports = await freePorts();
    agent = await startAgent({ ports });
    backend = consul({ url: agent.url })(makeContext());
  }, 30_000);

  afterAll(async () => {
    await backend.close?.();
    await agent.stop();
  });

  it('recovers its stream, says that the lease is lost, and registers again', async () => {
    const instance = makeInstance();
    const lease = await backend.registry?.register(instance, signal);
    const live = follow(backend, 'orders');
    await eventually(() => expect(live.current).toEqual([instance]));

    await agent.kill();
    await eventually(() => expect(live.error).toBeInstanceOf(Error));
    await expect(lease?.renew('up', signal)).rejects.toThrow('cannot be reached');
    expect(live.current).toEqual([instance]);

    agent = await startAgent({ ports });
    const from = performance.now();
    await eventually(async () => expect(await lease?.renew('up', signal)).toBe('lost'));
    await backend.registry?.register(instance, signal);
    await eventually(() => {
      expect(live.error).toBeUndefined();
      expect(live.current).toEqual([instance]);
    });
    expect(performance.now() - from).toBeLessThan(2_000);
    live.close();
  }, 30_000);
});
