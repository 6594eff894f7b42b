import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { kubernetes } from '../../../lib/discovery/backends/kubernetes.backend.js';
import type { DiscoveryBackend } from '../../../lib/discovery/discovery-backend.js';
import { eventually } from '../../support/eventually.js';
import { makeContext, makeInstance } from './support/backend-fixtures.js';
import { follow, followServices } from './support/follow.js';
import { KubernetesServer, sliceOf } from './support/kubernetes-server.js';

const pod = (name: string, address: string, conditions: object = { ready: true }) => ({
  addresses: [address],
  conditions,
  zone: 'eu-1',
  nodeName: 'node-1',
  targetRef: { kind: 'Pod', name },
});

describe('kubernetes', () => {
  let server: KubernetesServer;
  let backend: DiscoveryBackend;
  let directory = '';
  let tokenFile = '';
  const lives: { close(): void }[] = [];

  beforeEach(async () => {
    server = new KubernetesServer();
    directory = mkdtempSync(join(tmpdir(), 'nest-rookery-'));
    tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, 'first');
    const url = await server.listen();
    backend = kubernetes({ url, namespace: 'shop', tokenFile })(makeContext());
  });
  afterEach(async () => {
    lives.splice(0).forEach((live) => live.close());
    await backend.close?.();
    await server.close();
    rmSync(directory, { recursive: true });
  });

  const watch = (service: string) => {
    const live = follow(backend, service);
    lives.push(live);
    return live;
  };

  it('shows the pods of a service with their ports, zone and version', async () => {
    server.put(sliceOf('orders', [pod('orders-1', '10.1.0.1')]));
    const live = watch('orders');
    await eventually(() =>
      expect(live.current).toEqual([
        makeInstance({
          id: 'orders-1',
          host: '10.1.0.1',
          port: 3_000,
          ports: { grpc: 5_000 },
          zone: 'eu-1',
          version: '1.2.3',
          metadata: { pod: 'orders-1', node: 'node-1' },
        }),
      ]),
    );
  });

  it('follows readiness, and takes a pod that ends and still serves for draining', async () => {
    const states: readonly [object, string][] = [
      [{}, 'up'],
      [{ ready: false }, 'down'],
      [{ ready: true }, 'up'],
      [{ ready: false, serving: true, terminating: true }, 'draining'],
      [{ ready: false, serving: false, terminating: true }, 'down'],
    ];
    const live = watch('orders');
    for (const [conditions, status] of states) {
      server.put(sliceOf('orders', [pod('orders-1', '10.1.0.1', conditions)]));
      await eventually(() => expect(live.current.map((each) => each.status)).toEqual([status]));
    }
    server.remove('orders-abc');
    await eventually(() => expect(live.current).toEqual([]));
  });

  it('reads lists of many pages, and puts the slices of a service together', async () => {
    for (let n = 0; n < 5; n++) {
      const slice = sliceOf('orders', [pod(`orders-${n}`, `10.1.0.${n}`)]);
      server.put({ ...slice, metadata: { ...slice.metadata, name: `orders-${n}` } });
    }
    server.put(sliceOf('payments', [pod('payments-1', '10.1.1.1')]));
    const live = watch('orders');
    const names = followServices(backend);
    lives.push(names);
    await eventually(() => {
      expect(live.current).toHaveLength(5);
      expect(names.current).toEqual(['orders', 'payments']);
    });
    // All who watch share one watch.
    const watches = () => server.requests.filter(({ url }) => url.searchParams.has('watch'));
    await eventually(() => expect(watches()).toHaveLength(1));
  });

  it('counts a pod with two addresses once', async () => {
    const six = sliceOf('orders', [pod('orders-1', 'fd00::1')], { addressType: 'IPv6' });
    server.put({ ...six, metadata: { ...six.metadata, name: 'orders-v6' } });
    server.put(sliceOf('orders', [pod('orders-1', '10.1.0.1')]));
    const live = watch('orders');
    await eventually(() => expect(live.current.map(({ host }) => host)).toEqual(['10.1.0.1']));
  });

  it.each(['event', 'end'] as const)(
    'lists again when its version is too old (%s), and nobody notices',
    async (how) => {
      server.put(sliceOf('orders', [pod('orders-1', '10.1.0.1')]));
      const live = watch('orders');
      await eventually(() => expect(live.current).toHaveLength(1));
      await eventually(() => expect(server.requests).toHaveLength(2));
      server.expire(how);
      await eventually(() => expect(server.requests.length).toBeGreaterThanOrEqual(4));
      server.put(sliceOf('orders', [pod('orders-1', '10.1.0.1'), pod('orders-2', '10.1.0.2')]));
      await eventually(() => expect(live.current).toHaveLength(2));
      expect(live.error).toBeUndefined();
    },
  );

  it('goes on from a bookmark when the watch has ended', async () => {
    server.put(sliceOf('orders', [pod('orders-1', '10.1.0.1')]));
    const live = watch('orders');
    await eventually(() => expect(server.requests).toHaveLength(2));
    server.bookmark();
    server.put(sliceOf('orders', [pod('orders-1', '10.1.0.2')]));
    await eventually(() => expect(live.current[0]?.host).toBe('10.1.0.2'));
    const before = server.requests.length;
    server.expire('end');
    server.oldest = 0;
    await eventually(() => expect(server.requests.length).toBeGreaterThan(before));
    const version = Number(server.requests.at(-1)?.url.searchParams.get('resourceVersion'));
    expect(version).toBeGreaterThan(150);
    expect(live.error).toBeUndefined();
  });

  it('reads its token again for every request', async () => {
    const live = watch('orders');
    await live.ready();
    await eventually(() => expect(server.requests).toHaveLength(2));
    writeFileSync(tokenFile, 'second\n');
    server.expire('end');
    await eventually(() => expect(server.requests.at(-1)?.authorization).toBe('Bearer second'));
  });

  it('says which rights are missing', async () => {
    server.status = 403;
    const live = watch('orders');
    await eventually(() => expect(String(live.error)).toContain('get, list and watch'));
  });

  it('says what to do outside of a cluster', () => {
    expect(() => kubernetes({})).toThrow('kubernetes.url is missing, and this is no pod');
  });
});
