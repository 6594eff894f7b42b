import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventHub } from '../../lib/common/event-hub.js';
import type { ServiceInstance } from '../../lib/discovery/service-instance.js';
import { RookeryLogger } from '../../lib/telemetry/rookery-logger.js';
import { TelemetryModule } from '../../lib/telemetry/telemetry.module.js';
import type { TelemetryOptions } from '../../lib/telemetry/telemetry.options.js';

type Line = Readonly<Record<string, unknown>>;

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

@Controller()
class OrdersController {
  private readonly logger = new Logger('Orders');

  @Get()
  async list(): Promise<string> {
    await Promise.resolve();
    this.logger.log('listed', { found: 3 });
    return 'ok';
  }

  @Get('broken')
  broken(): never {
    throw new Error('boom');
  }
}

let app: INestApplication | undefined;
let written = '';

function lines(): Line[] {
  return written
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

async function start(options: TelemetryOptions = {}): Promise<RookeryLogger> {
  written = '';
  const destination = { write: (line: string) => (written += line) };
  @Module({
    imports: [
      TelemetryModule.forRoot({ name: 'orders', version: '1.2.3', destination, ...options }),
    ],
    controllers: [OrdersController],
  })
  class AppModule {}
  app = await NestFactory.create(AppModule, { bufferLogs: true });
  const logger = app.get(RookeryLogger);
  app.useLogger(logger);
  await app.listen(0, '127.0.0.1');
  return logger;
}

async function get(path: string, headers: Record<string, string> = {}): Promise<void> {
  const response = await fetch((await (app as INestApplication).getUrl()) + path, { headers });
  await response.text();
}

afterEach(async () => {
  await app?.close();
  app = undefined;
});

describe('RookeryLogger', () => {
  it('writes what Nest said at the start as JSON lines that name the service', async () => {
    await start();
    const started = lines().find((line) => line['msg'] === 'Nest application successfully started');
    expect(started).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      service: 'orders',
      version: '1.2.3',
      context: 'NestApplication',
      msg: 'Nest application successfully started',
    });
  });

  it('names the trace, the span and the correlation id of the request that is handled', async () => {
    await start();
    await get('/', {
      traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
      'x-correlation-id': 'order-7',
      authorization: 'Bearer s3cret',
    });
    const line = lines().find((each) => each['msg'] === 'listed');
    expect(line).toMatchObject({
      context: 'Orders',
      data: { found: 3 },
      traceId: TRACE,
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      correlationId: 'order-7',
    });
    expect(line?.['spanId']).not.toBe('00f067aa0ba902b7');
    expect(written).not.toContain('s3cret');
  });

  it('names no request outside of one', async () => {
    const logger = await start();
    logger.log('alone', 'Main');
    expect(lines().at(-1)).not.toHaveProperty('traceId');
  });

  it('writes an error that left a controller with its stack and the ids of its request', async () => {
    await start();
    await get('/broken', { 'x-correlation-id': 'order-8' });
    expect(lines().find((each) => each['level'] === 'error')).toMatchObject({
      correlationId: 'order-8',
      err: { message: 'boom', stack: expect.stringContaining('Error: boom\n') },
    });
  });

  it('names the instance once it is registered', async () => {
    const logger = await start();
    const instance = { id: 'orders-1' } as ServiceInstance;
    (app as INestApplication).get(EventHub).emit('instance.registered', { instance });
    logger.log('here');
    expect(lines().at(-1)).toMatchObject({ instance: 'orders-1', msg: 'here' });
  });

  it('writes each of the levels of Nest, from the set one on, which can change at any time', async () => {
    const logger = await start({ level: 'debug' });
    expect(logger.level).toBe('debug');
    written = '';
    const say = () => {
      logger.verbose('v');
      logger.debug('d');
      logger.log('l');
      logger.warn('w');
      logger.error('e');
      logger.fatal('f');
    };
    say();
    expect(lines().map(({ level }) => level)).toEqual(['debug', 'info', 'warn', 'error', 'fatal']);
    written = '';
    logger.level = 'trace';
    say();
    expect(lines()).toHaveLength(6);
    written = '';
    logger.level = 'silent';
    say();
    expect(written).toBe('');
  });

  it('writes lines for people when asked to', async () => {
    const logger = await start({ pretty: true });
    written = '';
    logger.log('created', { id: 7 }, 'Orders');
    expect(written).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}Orders: created \{"id":7\}\n$/);
  });

  it('writes a line break inside of a message as JSON does, so that nobody can forge a line', async () => {
    const logger = await start();
    written = '';
    logger.log('one\n{"level":"fatal"}');
    expect(written.trimEnd().split('\n')).toHaveLength(1);
  });
});
