import { afterEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../../../lib/common/clock.js';
import { messageOf } from '../../../lib/common/errors.js';
import type { ConfigSnapshot } from '../../../lib/config-client/config-source.js';
import {
  type ConfigServerSettings,
  ConfigServerSource,
} from '../../../lib/config-client/sources/config-server.source.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { eventually } from '../../support/eventually.js';
import { answering, type Script, ScriptedServer } from '../scripted-server.js';

const REQUEST = { name: 'orders', profiles: ['prod', 'eu'] };
const servers: ScriptedServer[] = [];
const stops: AbortController[] = [];

async function serve(script: Script): Promise<ScriptedServer> {
  const server = await new ScriptedServer(script).start();
  servers.push(server);
  return server;
}

function sourceOf(url: string, options: Partial<ConfigServerSettings> = {}): ConfigServerSource {
  const urls = url.split(',').map((each) => new URL(each));
  const clock = new SystemClock();
  return new ConfigServerSource({
    urls,
    clock,
    interval: 30_000,
    push: true,
    headers: {},
    ...options,
  });
}

/** Gathers what a source yields, until the test ends. */
function gather(
  source: ConfigServerSource,
  request: Parameters<ConfigServerSource['watch']>[0] = REQUEST,
) {
  const stop = new AbortController();
  stops.push(stop);
  const snapshots: ConfigSnapshot[] = [];
  const failures: string[] = [];
  void (async () => {
    try {
      for await (const snapshot of source.watch(request, stop.signal)) snapshots.push(snapshot);
    } catch (error) {
      failures.push(messageOf(error));
    }
  })();
  return { snapshots, failures };
}

/** The first answer was taken, and the source sleeps until the next interval. */
function asleep(clock: FakeClock, snapshots: readonly ConfigSnapshot[]): Promise<void> {
  return eventually(() => expect([snapshots.length, clock.waiting]).toEqual([1, 1]));
}

afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort();
  for (const server of servers.splice(0)) await server.stop();
});

describe('a config server as a source', () => {
  it('is asked for name, profiles and label, with the v2 media type and without the password in the address', async () => {
    const server = await serve(answering({ a: 1 }));
    const url = `${server.url.replace('//', '//me:s3cret@')}/config/`;
    const source = sourceOf(url, { headers: { 'x-tenant': 't1' } });
    const { snapshots } = gather(source, { ...REQUEST, label: 'feature/x' });
    await eventually(() => expect(snapshots).toHaveLength(1));
    const [request] = server.requests;
    expect(request?.url).toBe('/config/orders/prod,eu/feature(_)x');
    expect(request?.headers).toMatchObject({
      accept: expect.stringContaining('vnd.spring-cloud.config-server.v2+json'),
      authorization: `Basic ${Buffer.from('me:s3cret').toString('base64')}`,
      'x-tenant': 't1',
    });
    expect(source.name).not.toContain('s3cret');
    expect(snapshots[0]).toEqual({
      sources: [{ name: 'file:orders.yml', source: { a: 1 } }],
      version: '1',
    });
  });

  it('unwraps values that come with their origin, and takes other maps as maps', async () => {
    const server = await serve(
      answering({
        a: { value: 1, origin: 'orders.yml:1:4' },
        b: { value: 'x', origin: 'y', more: 1 },
        c: { value: null, origin: 'orders.yml:2:4' },
        list: [1, { d: 2 }],
      }),
    );
    const { snapshots } = gather(sourceOf(server.url));
    await eventually(() => expect(snapshots).toHaveLength(1));
    expect(snapshots[0]?.sources[0]).toEqual({
      name: 'file:orders.yml',
      source: {
        a: 1,
        'b.value': 'x',
        'b.origin': 'y',
        'b.more': 1,
        c: null,
        'list[0]': 1,
        'list[1].d': 2,
      },
      origins: { a: 'orders.yml:1:4', c: 'orders.yml:2:4' },
    });
  });

  it('asks a plain Spring server every interval', async () => {
    const server = await serve(answering({ a: 1 }));
    const clock = new FakeClock();
    const { snapshots } = gather(sourceOf(server.url, { clock }));
    await asleep(clock, snapshots);
    server.script = answering({ a: 2 }, { version: '2' });
    await clock.advance(29_000);
    expect(server.requests).toHaveLength(1);
    await clock.advance(1_000);
    await eventually(() => expect(snapshots).toHaveLength(2));
    expect(snapshots[1]?.version).toBe('2');
    expect(server.requests[1]?.url).toBe('/orders/prod,eu');
  });

  it('sends the tag and the state it was given, and says nothing when nothing has changed', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { etag: '"v1"' });
      response.end(JSON.stringify({ state: 's1', propertySources: [] }));
    });
    const clock = new FakeClock();
    const { snapshots, failures } = gather(sourceOf(server.url, { clock, interval: 1_000 }));
    await asleep(clock, snapshots);
    let answered = false;
    server.script = (_request, response) => {
      response.on('close', () => (answered = true));
      response.writeHead(304).end();
    };
    await clock.advance(1_000);
    await eventually(() => expect(answered).toBe(true));
    expect(server.requests[1]?.headers).toMatchObject({
      'if-none-match': '"v1"',
      'x-config-state': 's1',
    });
    await eventually(async () => {
      await clock.advance(100);
      expect(server.requests.length).toBe(3);
    });
    expect([snapshots.length, failures]).toEqual([1, []]);
  });

  it('lets a server that offers it hold the question', async () => {
    const offer = { etag: '"v1"', 'x-config-wait': '60s' };
    const server = await serve(answering({ a: 1 }, { headers: offer }));
    let release: (() => void) | undefined;
    server.script = (request, response) => {
      if (server.requests.length === 1) answering({ a: 1 }, { headers: offer })(request, response);
      else release = () => answering({ a: 2 }, { version: '2', headers: offer })(request, response);
    };
    const { snapshots } = gather(sourceOf(server.url));
    await eventually(() => expect(release).toBeDefined());
    expect(server.requests[1]?.url).toBe('/orders/prod,eu?wait=30s&version=1');
    release?.();
    await eventually(() => expect(snapshots[1]?.version).toBe('2'));
  });

  it('asks for less when a gateway between lets no question wait so long, and is not away then', async () => {
    const offer = { etag: '"v1"', 'x-config-wait': '60s' };
    const clock = new FakeClock();
    const held: (() => void)[] = [];
    const server = await serve((request, response) => {
      if (!request.headers['if-none-match'])
        answering({ a: 1 }, { headers: offer })(request, response);
      else if (request.url?.includes('wait=')) held.push(() => response.writeHead(504).end());
      else response.writeHead(304, offer).end();
    });
    const { snapshots, failures } = gather(sourceOf(server.url, { clock }));
    await eventually(() => expect(held).toHaveLength(1));
    await clock.advance(10_000);
    held[0]?.();
    await eventually(async () => {
      await clock.advance(1);
      expect(held).toHaveLength(2);
    });
    const waits = server.requests.map(({ url }) => /wait=(\w+)/.exec(url ?? '')?.[1]);
    expect(waits).toEqual([undefined, '30s', undefined, '8s']);
    expect([snapshots.length, failures]).toEqual([1, []]);
    // One that ends at once is no matter of time.
    held[1]?.();
    await eventually(() => expect(failures[0]).toMatch(/answered 504\.$/));
  });

  it('opens another connection when the one it kept was being closed', async () => {
    const server = await serve(answering({ a: 1 }));
    const clock = new FakeClock();
    const { snapshots, failures } = gather(sourceOf(server.url, { clock, interval: 1_000 }));
    await asleep(clock, snapshots);
    const sockets = new Set([server.requests[0]?.socket]);
    server.script = (request, response) => {
      if (sockets.has(request.socket)) request.socket.destroy();
      else answering({ a: 2 }, { version: '2' })(request, response);
    };
    await clock.advance(1_000);
    await eventually(() => expect(snapshots[1]?.version).toBe('2'));
    expect([server.requests.length, failures]).toEqual([3, []]);
  });

  it('asks at intervals when push is off, or when a held question comes back at once without news', async () => {
    const offer = { etag: '"v1"', 'x-config-wait': '60s' };
    const clock = new FakeClock();
    const server = await serve(answering({ a: 1 }, { headers: offer }));
    const { snapshots } = gather(sourceOf(server.url, { clock, push: false }));
    await asleep(clock, snapshots);
    expect(server.requests).toHaveLength(1);

    const eager = await serve((request, response) => {
      if (request.headers['if-none-match']) response.writeHead(304).end();
      else answering({ a: 1 }, { headers: offer })(request, response);
    });
    const second = new FakeClock();
    gather(sourceOf(eager.url, { clock: second }));
    await eventually(() => expect(eager.requests).toHaveLength(2));
    for (let step = 0; step < 5; step++) await second.advance(1_000);
    expect(eager.requests).toHaveLength(2);
  });

  it('does not spin when a server has news all the time', async () => {
    let version = 0;
    const server = await serve((request, response) => {
      const headers = { etag: `"v${++version}"`, 'x-config-wait': '60s' };
      answering({ version }, { version: `v${version}`, headers })(request, response);
    });
    const clock = new FakeClock();
    gather(sourceOf(server.url, { clock }));
    await eventually(() => expect(server.requests).toHaveLength(2));
    await clock.advance(50);
    expect(server.requests).toHaveLength(2);
  });

  it('tries the next server, and the next label after a 404', async () => {
    const dead = await serve(answering({}));
    await dead.stop();
    const server = await serve((request, response) => {
      if (request.url?.endsWith('/main')) answering({ a: 1 })(request, response);
      else response.writeHead(404).end();
    });
    const { snapshots } = gather(sourceOf(`${dead.url},${server.url}`), {
      ...REQUEST,
      label: 'new, main',
    });
    await eventually(() => expect(snapshots).toHaveLength(1));
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/orders/prod,eu/new',
      '/orders/prod,eu/main',
    ]);
  });

  it.each<[string, Script, RegExp]>([
    ['an error', (_q, r) => r.writeHead(500).end('secret'), /answered 500$|answered 500\./],
    ['a refusal', (_q, r) => r.writeHead(401).end(), /answered 401: give it the password/],
    [
      'a redirect',
      (_q, r) => r.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      /a redirect, which is not followed/,
    ],
    ['an unasked 304', (_q, r) => r.writeHead(304).end(), /answered 304/],
    [
      'a web page',
      (_q, r) => r.end('<html>secret</html>'),
      /answered 19 characters that are not JSON/,
    ],
    ['other JSON', (_q, r) => r.end('{"a":1}'), /no propertySources/],
    ['a list', (_q, r) => r.end('[]'), /no propertySources/],
    [
      'a broken source',
      (_q, r) => r.end('{"propertySources":[{"name":1}]}'),
      /propertySources\[0\]/,
    ],
    ['nothing', (_q, r) => r.end(), /0 characters/],
    ['broken UTF-8', (_q, r) => r.end(Buffer.from([0x7b, 0xff, 0x7d])), /./],
    [
      'half an answer',
      (_q, r) => {
        r.writeHead(200, { 'content-length': 100 });
        r.write('{"propertySources":[');
        setImmediate(() => r.destroy());
      },
      /aborted|cut off/,
    ],
    ['a reset', (q) => q.socket.destroy(), /hang up|ECONNRESET/],
    ['too much', (_q, r) => r.end(Buffer.alloc(9 * 1024 * 1024, ' ')), /larger than/],
  ])('refuses %s', async (_name, script, sentence) => {
    const server = await serve(script);
    const { failures, snapshots } = gather(sourceOf(server.url));
    await eventually(() => expect(failures).toHaveLength(1));
    expect(failures[0]).toMatch(sentence);
    expect(failures[0]).toContain(server.url);
    expect(failures[0]).not.toContain('secret');
    expect(snapshots).toEqual([]);
  });

  it('gives up on a server that hangs', async () => {
    const server = await serve(() => undefined);
    const clock = new FakeClock();
    const { failures } = gather(sourceOf(server.url, { clock }));
    await eventually(() => expect(server.requests).toHaveLength(1));
    await clock.advance(5_000);
    await eventually(() => expect(failures).toEqual([`${server.url}: not done within 5000 ms`]));
  });

  it('gives up sooner on a held question: the server had the time to prepare its answer', async () => {
    const offer = { etag: '"v1"', 'x-config-wait': '60s' };
    const server = await serve((request, response) => {
      if (!request.headers['if-none-match'])
        answering({ a: 1 }, { headers: offer })(request, response);
    });
    const clock = new FakeClock();
    const { failures } = gather(sourceOf(server.url, { clock }));
    await eventually(() => expect(server.requests).toHaveLength(2));
    await clock.advance(31_000);
    // It may be well again, and have lost the question.
    await eventually(() => expect(server.requests).toHaveLength(3));
    expect(failures).toEqual([]);
    await clock.advance(1_000);
    await eventually(() => expect(failures).toEqual([`${server.url}: not done within 32000 ms`]));
  });

  it('does not let keys of an answer reach behind objects', async () => {
    const server = await serve((_request, response) => {
      response.end(
        '{"propertySources":[{"name":"x","source":{"__proto__":{"polluted":1},"a.__proto__.polluted":1}}]}',
      );
    });
    const { snapshots } = gather(sourceOf(server.url));
    await eventually(() => expect(snapshots).toHaveLength(1));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
