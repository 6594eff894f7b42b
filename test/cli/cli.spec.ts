import { createServer } from 'node:net';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../../lib/cli/run-cli.js';
import { embedded } from '../../lib/discovery/backends/embedded.backend.js';
import { GatewayRoute } from '../../lib/discovery/manifest/gateway-route.decorator.js';
import { Registrar } from '../../lib/discovery/registrar.js';
import { startApplication } from '../discovery/support/application.js';
import { eventually } from '../support/eventually.js';

@GatewayRoute('/api/orders')
@Controller('orders')
class OrdersController {
  @Get(':id')
  find() {
    return {};
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

async function run(...words: readonly string[]) {
  const lines: string[] = [];
  const errors: string[] = [];
  const output = {
    line: (text: string) => void lines.push(text),
    error: (text: string) => void errors.push(text),
  };
  const code = await runCli(words, output);
  return { code, said: lines.join('\n'), errors: errors.join('\n') };
}

describe('npx nest-rookery', () => {
  let app: INestApplication;
  let at: readonly string[];

  beforeAll(async () => {
    const port = await freePort();
    at = ['--backend', 'embedded', '--url', `tcp://127.0.0.1:${port}`];
    app = await startApplication({
      discovery: {
        name: 'orders',
        version: '1.2.3',
        backend: embedded({ port }),
        drain: { delay: 0 },
      },
      controllers: [OrdersController],
    });
    await eventually(() => expect(app.get(Registrar).registered).toBeDefined());
  });
  afterAll(() => app.close());

  it('lists the services', async () => {
    const { code, said } = await run('services', ...at);
    expect(code).toBe(0);
    expect(said).toMatch(/^orders\s+1 of 1\s+1\.2\.3$/m);
    expect(JSON.parse((await run('services', '--json', ...at)).said)).toEqual([
      { service: 'orders', available: 1, instances: 1, versions: ['1.2.3'] },
    ]);
  });

  it('lists the instances of a service', async () => {
    const { code, said } = await run('instances', 'orders', ...at);
    expect(code).toBe(0);
    expect(said).toContain(app.get(Registrar).registered?.id);
    expect(await run('instances', 'nobody', ...at)).toMatchObject({
      code: 1,
      said: '"nobody" has no instances.',
    });
  });

  it('lists routes and explains requests', async () => {
    expect((await run('routes', ...at)).said).toMatch(/^GET\s+\/api\/orders\/:id\s+orders/m);
    const taken = await run('explain', 'get', '/api/orders/7', ...at);
    expect(taken.code).toBe(0);
    expect(taken.said).toContain('→ orders /orders/7');
    expect((await run('explain', 'GET', '/nothing', ...at)).code).toBe(1);
  });

  it('examines what keeps services from finding each other', async () => {
    const { code, said } = await run('doctor', ...at);
    expect(said).toMatch(/ok registry: "embedded" shows 1 services/);
    expect(said).toContain('ok rights: an instance that registers is shown');
    expect(said).toContain('ok ports: 1 instances accept connections');
    expect(code).toBe(0);
  });

  it('tells with a remedy that the registry does not answer, and that a port is closed', async () => {
    const nobody = ['--backend', 'embedded', '--url', 'tcp://127.0.0.1:1', '--wait', '300ms'];
    const { code, said } = await run('doctor', ...nobody);
    expect(code).toBe(1);
    expect(said).toContain('!! registry: The registry "embedded" has not answered within 300ms');
    expect(said).toContain('DISCOVERY_URL');
    expect(await run('services', ...nobody)).toMatchObject({ code: 1 });
  });

  it.each([
    [['fly'], "There is no command 'fly'."],
    [['services', '--colour'], '--colour'],
    [['services', '--url', 'tcp://x:1'], 'With --url comes --backend'],
    [['services', '--backend', 'zookeeper'], "--backend is 'zookeeper'"],
    [['instances', '--backend', 'embedded'], 'Whose instances?'],
    [['explain', 'GET'], 'Which request?'],
    [['registry', '--port', '0'], "--port is '0'"],
  ])('does not understand %j, and says why', async (words, sentence) => {
    const { code, errors } = await run(...words);
    expect(code).toBe(2);
    expect(errors).toContain(sentence);
    expect(errors).toContain('Usage: nest-rookery');
  });

  it('prints its usage', async () => {
    expect(await run()).toMatchObject({ code: 0, said: expect.stringContaining('Usage:') });
    expect(await run('services', '--help')).toMatchObject({ code: 0 });
  });

  it('does not let other machines reach a registry without a token', async () => {
    const { code, errors } = await run('registry', '--host', '0.0.0.0');
    expect(code).toBe(1);
    expect(errors).toContain('Set DISCOVERY_TOKEN');
  });
});
