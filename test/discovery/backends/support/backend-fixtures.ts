import { createServer } from 'node:net';
import { SystemClock } from '../../../../lib/common/clock.js';
import type { BackendContext } from '../../../../lib/discovery/discovery-backend.js';
import type { ServiceInstance } from '../../../../lib/discovery/service-instance.js';

/** What a backend is given, with the machine's own clock. */
export function makeContext(fields: Partial<BackendContext> = {}): BackendContext {
  return {
    clock: new SystemClock(),
    ttl: 3_000,
    heartbeat: 1_000,
    namespace: 'default',
    warn: () => {},
    ...fields,
  };
}

export function makeInstance(fields: Partial<ServiceInstance> = {}): ServiceInstance {
  return {
    id: 'orders-1',
    service: 'orders',
    host: '127.0.0.1',
    port: 3001,
    ports: {},
    scheme: 'http',
    status: 'up',
    weight: 1,
    tags: [],
    metadata: {},
    ...fields,
  };
}

/** The first snapshot of a stream. */
export async function readFirst<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const snapshot of stream) return snapshot;
  throw new Error('the stream ended before its first snapshot');
}

/** A port of the loopback address where nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
