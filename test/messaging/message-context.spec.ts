import type { ExecutionContext } from '@nestjs/common';
import type { ClientProxy, ReadPacket } from '@nestjs/microservices';
import { NatsRecordBuilder } from '@nestjs/microservices';
import { NatsRecordSerializer } from '@nestjs/microservices/serializers/nats-record.serializer.js';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, of } from 'rxjs';
import { SystemClock } from '../../lib/common/clock.js';
import { RequestContext } from '../../lib/common/request-context.js';
import { MessageContext } from '../../lib/messaging/message-context.js';
import { MessageContextInterceptor } from '../../lib/messaging/message-context.interceptor.js';

const context = new RequestContext(new SystemClock());
const carrier = new MessageContext(context);
const scope = context.open({ 'x-correlation-id': 'order-7', 'x-rookery-deadline': '5000' });

/** What NATS itself would be given: no broker runs here, so its serializer is the border. */
function natsClient() {
  const client = { serializer: new NatsRecordSerializer() } as unknown as ClientProxy & {
    serializer: { serialize(packet: ReadPacket): { data: string; headers: Map<string, string> } };
  };
  return carrier.attach(client, { headers: () => new Map<string, string>() });
}

describe('a client of NATS', () => {
  it('carries the context in the headers of the message', () => {
    const client = natsClient();
    const { headers, data } = context.run(scope, () =>
      client.serializer.serialize({ pattern: 'a', data: { x: 1 }, id: '7' } as ReadPacket),
    );
    expect(headers.get('x-correlation-id')).toBe('order-7');
    expect(headers.get('traceparent')).toContain(scope.trace.traceId);
    expect(Number(headers.get('x-rookery-deadline'))).toBeGreaterThan(4_000);
    expect(JSON.parse(data)).toMatchObject({ data: { x: 1 } });
  });

  it('adds to the headers that a message has, and gives an event no deadline', () => {
    const client = natsClient();
    const own = new Map([['x-correlation-id', 'own']]);
    const data = new NatsRecordBuilder({ x: 1 }).setHeaders(own).build();
    const { headers } = context.run(scope, () =>
      client.serializer.serialize({ pattern: 'a', data }),
    );
    expect([...headers.keys()]).toEqual(['x-correlation-id', 'traceparent']);
    expect(headers.get('x-correlation-id')).toBe('own');
    expect(client.serializer.serialize({ pattern: 'a', data: 1 }).headers).toBeUndefined();
  });
});

const execution = (transport: unknown, type = 'rpc') =>
  ({
    getType: () => type,
    switchToRpc: () => ({ getContext: () => transport }),
  }) as unknown as ExecutionContext;

describe('MessageContextInterceptor', () => {
  const interceptor = new MessageContextInterceptor(context);
  const handle = { handle: () => of(context.current?.correlationId) };

  it.each([
    ['NATS', { getHeaders: () => new Map([['x-correlation-id', 'n-1']]) }, 'n-1'],
    ['Redis', { getMetadata: () => ({ 'x-correlation-id': 'r-1' }) }, 'r-1'],
    ['gRPC', { get: (name: string) => (name === 'x-correlation-id' ? ['g-1'] : []) }, 'g-1'],
  ])('reads what came over %s', async (_name, transport, expected) => {
    const handled = {
      handle: () => ({
        subscribe: (observer: { next(value: unknown): void; complete(): void }) => {
          observer.next(context.current?.correlationId);
          observer.complete();
          return { unsubscribe() {} };
        },
      }),
    } as unknown as typeof handle;
    expect(await firstValueFrom(interceptor.intercept(execution(transport), handled))).toBe(
      expected,
    );
  });

  it('leaves HTTP alone', async () => {
    expect(
      await firstValueFrom(interceptor.intercept(execution({}, 'http'), handle)),
    ).toBeUndefined();
  });
});
