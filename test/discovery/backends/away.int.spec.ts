import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { SystemClock } from '../../../lib/common/clock.js';
import { consul } from '../../../lib/discovery/backends/consul.backend.js';
import { Holder } from '../../../lib/discovery/backends/embedded-holder.js';
import { embedded } from '../../../lib/discovery/backends/embedded.backend.js';
import { etcd } from '../../../lib/discovery/backends/etcd.backend.js';
import { eureka } from '../../../lib/discovery/backends/eureka.backend.js';
import { kubernetes } from '../../../lib/discovery/backends/kubernetes.backend.js';
import { redis } from '../../../lib/discovery/backends/redis.backend.js';
import type { BackendFactory } from '../../../lib/discovery/discovery-backend.js';
import { DiscoveryClient } from '../../../lib/discovery/discovery-client.js';
import { DiscoveryContributor } from '../../../lib/discovery/discovery.contributor.js';
import { Registrar } from '../../../lib/discovery/registrar.js';
import { freePorts as consulPorts, startAgent } from '../../support/consul/agent.mjs';
import { eventually } from '../../support/eventually.js';
import { freePorts, startEtcd, startRedis } from '../../support/servers/server.mjs';
import { listenToLog, portOf, startApplication } from '../support/application.js';
import { makeContext, makeInstance } from './support/backend-fixtures.js';
import { EurekaServer } from './support/eureka-server.js';
import { KubernetesServer, sliceOf } from './support/kubernetes-server.js';

/** A registry that is not there yet. */
interface Away {
  readonly backend: BackendFactory;
  /** Starts it; resolves with how to stop it when it answers. */
  readonly come: () => Promise<() => Promise<unknown>>;
}

const late = makeInstance({ id: 'late-1', service: 'late' });

async function registerLate(backend: BackendFactory): Promise<void> {
  const writer = backend(makeContext({ ttl: 30_000 }));
  writers.push(writer);
  await writer.registry?.register(late, new AbortController().signal);
}
const writers: { close?(): Promise<void> }[] = [];

async function started(starting: Promise<{ stop(): Promise<unknown> }>) {
  const server = await starting;
  return () => server.stop();
}

/** Consul, etcd, Redis and the embedded registry are the real ones; Kubernetes and Eureka are servers of our own. */
const REGISTRIES: Readonly<Record<string, () => Promise<Away>>> = {
  consul: async () => {
    const ports = await consulPorts();
    const backend = consul({ url: `http://127.0.0.1:${ports.http}` });
    return { backend, come: () => started(startAgent({ ports })) };
  },
  etcd: async () => {
    const ports = await freePorts(2);
    const backend = etcd({ url: `http://127.0.0.1:${ports[0]}` });
    return { backend, come: () => started(startEtcd({ ports })) };
  },
  redis: async () => {
    const ports = await freePorts(1);
    const backend = redis({ url: `redis://127.0.0.1:${ports[0]}` });
    return { backend, come: () => started(startRedis({ ports })) };
  },
  'embedded by itself': async () => {
    const [port = 0] = await freePorts(1);
    const backend = embedded({ url: `tcp://127.0.0.1:${port}` });
    const at = { host: '127.0.0.1', port, token: undefined, clock: new SystemClock() };
    return {
      backend,
      come: async () => {
        // Another program's connection may have the port for a moment.
        let holder: Holder | undefined;
        await eventually(async () => expect((holder = await Holder.bind(at))).toBeDefined());
        return async () => holder?.close();
      },
    };
  },
  eureka: async () => {
    const [port = 0] = await freePorts(1);
    const server = new EurekaServer();
    const backend = eureka({ url: `http://127.0.0.1:${port}/eureka`, every: '100ms' });
    return {
      backend,
      come: async () => {
        await server.listen(port);
        return () => server.close();
      },
    };
  },
  kubernetes: async () => {
    const [port = 0] = await freePorts(1);
    const server = new KubernetesServer();
    const options = { url: `http://127.0.0.1:${port}`, namespace: 'shop', tokenFile: '/dev/null' };
    const pod = { addresses: ['10.1.0.1'], conditions: { ready: true } };
    server.put(sliceOf('late', [{ ...pod, targetRef: { kind: 'Pod', name: 'late-1' } }]));
    return {
      backend: kubernetes(options),
      come: async () => {
        await server.listen(port);
        return () => server.close();
      },
    };
  },
};

describe('a service that starts before its registry', () => {
  let app: INestApplication;
  let stop: () => Promise<unknown>;
  let log: ReturnType<typeof listenToLog>;
  beforeEach(() => {
    log = listenToLog();
  });
  afterEach(async () => {
    await app.close();
    for (const writer of writers.splice(0)) await writer.close?.();
    await stop();
    log.stop();
  });

  it.each(Object.entries(REGISTRIES))(
    'is up and degraded, and finds and is found within 2 s after %s is there',
    async (_, make) => {
      const { backend, come } = await make();
      const heartbeat = { ttl: '3s', interval: '1s' } as const;
      app = await startApplication({ discovery: { name: 'orders', backend, heartbeat } });
      const [client, registrar] = [app.get(DiscoveryClient), app.get(Registrar)];
      const health = () => app.get(DiscoveryContributor).check();
      expect(client.instances('late')).toEqual([]);
      await eventually(() => expect(health().status).toBe('degraded'));
      expect((await fetch(`http://127.0.0.1:${portOf(app)}/`)).status).toBe(404);
      expect(registrar.registered).toBeUndefined();

      stop = await come();
      const from = performance.now();
      await registerLate(backend);
      await eventually(() => {
        expect(client.instances('late').map(({ id }) => id)).toEqual(['late-1']);
        if (registrar.registers) expect(registrar.registered?.service).toBe('orders');
      });
      expect(performance.now() - from).toBeLessThan(2_000);
      await eventually(() => expect(health().status).toBe('up'));
    },
    40_000,
  );
});
