import { describe, expect, it } from '@jest/globals';
import { readGatewayOptions } from '../../../lib/gateway/gateway.options.js';
import { AccessLog } from '../../../lib/gateway/proxy/access-log.js';
import type { ProxiedRequest } from '../../../lib/gateway/gateway.events.js';
import { Endpoint } from '../../../lib/load-balancing/endpoint.js';
import { ServiceIdentity } from '../../../lib/common/service-identity.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';

const LINE = {
  method: 'GET',
  path: '/api/"odd"\\päth',
  route: '/api/{*rest}',
  status: 200,
  upstream: 'orders',
  upstreamInstance: 'orders-1',
  attempts: 1,
  traceId: 'a'.repeat(32),
  correlationId: 'c-1',
};

const ENTRY: ProxiedRequest = {
  method: 'GET',
  url: '/api/"odd"\\päth?token=secret',
  status: 200,
  route: { id: 'a', path: '/api/{*rest}', to: 'orders', metadata: {} },
  upstream: 'orders',
  endpoint: endpoint('orders-1'),
  attempts: 1,
  startedAt: 0,
  duration: 1.26,
  timeToFirstByte: 1,
  reason: '',
  scope: {
    trace: { traceId: LINE.traceId, spanId: 'b'.repeat(16), flags: '01' },
    correlationId: 'c-1',
  },
};

function endpoint(id: string): Endpoint {
  return new Endpoint({
    id,
    service: 'orders',
    host: '127.0.0.1',
    port: 1,
    scheme: 'http',
    status: 'up',
    weight: 1,
    ports: {},
    tags: [],
    metadata: {},
  });
}

const make = () => {
  const clock = new FakeClock();
  const written: string[] = [];
  const settings = readGatewayOptions({ accessLog: true }, 'gateway');
  const identity = new ServiceIdentity();
  identity.claim('test', 'gateway');
  const log = new AccessLog(clock, identity, (lines) => written.push(lines.toString()), settings);
  return { clock, written, log };
};

describe('the access log', () => {
  it('writes lines in the shape of the logger, several at once', async () => {
    const { clock, written, log } = make();
    log.write(ENTRY);
    log.write({ ...ENTRY, status: 502, endpoint: undefined });
    expect(written).toEqual([]);
    await clock.advance(50);
    expect(written).toHaveLength(1);
    const [first, second] = (written[0] ?? '')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(first).toMatchObject({
      ...LINE,
      level: 'info',
      time: new Date(clock.wallTime() - 50).toISOString(),
      service: 'gateway',
      context: 'Access',
      msg: 'request proxied',
      ms: 1.3,
    });
    expect(second).toMatchObject({ level: 'error', status: 502 });
  });

  it('keeps nothing back when the application ends', () => {
    const { written, log } = make();
    log.write(ENTRY);
    log.onApplicationShutdown();
    expect(written).toHaveLength(1);
  });
});
