// The registries that can be measured: how each is started, and the backend that speaks to it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { consul, embedded, etcd, redis } from 'nest-rookery/discovery';
import { freePorts as consulPorts, startAgent } from '../../test/support/consul/agent.mjs';
import { freePorts, startEtcd, startRedis } from '../../test/support/servers/server.mjs';

export function backendOf(name, address) {
  if (name === 'consul') return consul({ url: address });
  if (name === 'etcd') return etcd({ url: address });
  if (name === 'redis') return redis({ url: address });
  return embedded({ url: address });
}

const CLI = fileURLToPath(new URL('../../bin/nest-rookery.mjs', import.meta.url));

/** The embedded registry by itself, as in a compose file. */
async function startEmbedded(port) {
  const child = spawn(process.execPath, [CLI, 'registry', '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const end = async (signal) => {
    child.kill(signal);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  const url = `tcp://127.0.0.1:${port}`;
  return { url, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
}

/** For each real registry where it is, and a function that starts it there, empty. */
export async function registries() {
  const consulAt = await consulPorts();
  const etcdAt = await freePorts(2);
  const redisAt = await freePorts(1);
  const [embeddedAt] = await freePorts(1);
  return {
    consul: {
      url: `http://127.0.0.1:${consulAt.http}`,
      start: () => startAgent({ ports: consulAt }),
    },
    etcd: { url: `http://127.0.0.1:${etcdAt[0]}`, start: () => startEtcd({ ports: etcdAt }) },
    redis: { url: `redis://127.0.0.1:${redisAt[0]}`, start: () => startRedis({ ports: redisAt }) },
    embedded: { url: `tcp://127.0.0.1:${embeddedAt}`, start: () => startEmbedded(embeddedAt) },
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
