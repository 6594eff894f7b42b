// The registries that can be measured: how each is started, and the backend that speaks to it.
import { consul, embedded, etcd, redis } from 'nest-rookery/discovery';
import { freePorts as consulPorts, startAgent } from '../../test/support/consul/agent.mjs';
import { freePorts, startEtcd, startRedis } from '../../test/support/servers/server.mjs';

export function backendOf(name, address) {
  if (name === 'consul') return consul({ url: address });
  if (name === 'etcd') return etcd({ url: address });
  if (name === 'redis') return redis({ url: address });
  return embedded({ port: Number(address) });
}

/** For each real registry a function that starts it empty, always at the same address. */
export async function registries() {
  const consulAt = await consulPorts();
  const etcdAt = await freePorts(2);
  const redisAt = await freePorts(1);
  return {
    consul: () => startAgent({ ports: consulAt }),
    etcd: () => startEtcd({ ports: etcdAt }),
    redis: () => startRedis({ ports: redisAt }),
  };
}

/** An instance that nobody runs. */
export function instanceOf(id, service) {
  return {
    id,
    service,
    host: '127.0.0.1',
    port: 3_000,
    ports: {},
    scheme: 'http',
    status: 'up',
    weight: 1,
    tags: [],
    metadata: {},
  };
}
