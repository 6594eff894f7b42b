import { once } from 'node:events';
import { connect, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type INestApplication, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { firstValueFrom } from 'rxjs';
import { memory, MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import { DiscoveryClient } from '../../lib/discovery/discovery-client.js';
import { DiscoveryModule } from '../../lib/discovery/discovery.module.js';
import { LocalInstance } from '../../lib/discovery/local-instance.js';
import { DiscoverableTcpServer } from '../../lib/messaging/discoverable-tcp-server.js';
import { MessagingModule } from '../../lib/messaging/messaging.module.js';
import { eventually } from '../support/eventually.js';
import { startOrders, startPayments } from './applications.js';

let hub: MemoryHub;
let app: INestApplication;
let port: number;

/** Sends bytes and gives what comes back until the connection ends. */
async function exchange(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(bytes);
  await once(socket, 'close');
  return heard;
}

function framed(message: unknown): string {
  const json = typeof message === 'string' ? message : JSON.stringify(message);
  return `${json.length}#${json}`;
}

beforeEach(async () => {
  hub = new MemoryHub();
  app = await startPayments(hub);
  const server = app.get(DiscoverableTcpServer).unwrap<Server>();
  port = (server.address() as { port: number }).port;
});

afterEach(() => app.close());

describe('DiscoverableTcpServer', () => {
  it('announces the port that the system chose', () => {
    expect(port).toBeGreaterThan(0);
    expect(app.get(LocalInstance).current?.ports).toEqual({ tcp: port });
  });

  it.each([
    ['null', 'null'],
    ['a figure', '7'],
    ['a list', '[]'],
    ['no pattern', '{"data":1}'],
    ['a pattern that is null', '{"pattern":null,"id":"1"}'],
    [
      'a pattern 50,000 deep',
      `{"pattern":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)},"id":"1"}`,
    ],
    ['no JSON', '{'],
  ])('ends the connection of who sends %s, and goes on', async (_, json) => {
    expect(await exchange(framed(json))).not.toContain('isDisposed');
    const orders = await startOrders(hub);
    expect(await firstValueFrom(orders.payments.send('charge', { id: 1 }))).toBe(1);
    await orders.app.close();
  });

  it('ends the connection of who sends no length, or a message beyond the limit', async () => {
    await exchange('GET / HTTP/1.1\r\nhost: #\r\n\r\n');
    await exchange(`9999999#${'x'.repeat(4_300_000)}`);
  });

  it('hears a message with hostile metadata, in a request of its own', async () => {
    const socket: Socket = connect(port, '127.0.0.1');
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    const metadata = { traceparent: ['x'], 'x-correlation-id': 'a\r\nb', tracestate: { a: 1 } };
    socket.write(framed({ pattern: 'context', data: {}, id: '1', metadata }));
    await eventually(() => expect(heard).toContain('"isDisposed":true'));
    const traceId = /"traceId":"([0-9a-f]{32})"/.exec(heard)?.[1];
    expect(heard).toContain(`"correlationId":"${traceId}"`);
    socket.destroy();
  });
});

describe('DiscoverableTcpServer without an HTTP server', () => {
  it('registers the application with its own port', async () => {
    @Module({
      imports: [
        DiscoveryModule.forRoot({ name: 'mail', backend: memory(hub), host: '127.0.0.1' }),
        MessagingModule.forRoot({ server: { host: '127.0.0.1' } }),
      ],
    })
    class MailModule {}
    const mail: INestMicroservice = await NestFactory.createMicroservice(MailModule, {
      logger: false,
      inject: [DiscoverableTcpServer],
      useFactory: (strategy: DiscoverableTcpServer) => ({ strategy }),
    });
    await mail.listen();
    const discovery = app.get(DiscoveryClient);
    await eventually(() => {
      const [instance] = discovery.instances('mail');
      expect(instance?.port).toBeGreaterThan(0);
      expect(instance?.ports).toEqual({ tcp: instance?.port });
    });
    await mail.close();
    await eventually(() => expect(discovery.instances('mail')).toEqual([]));
  });
});
