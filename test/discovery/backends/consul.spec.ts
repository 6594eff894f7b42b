import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { consul, type ConsulOptions } from '../../../lib/discovery/backends/consul.backend.js';
import {
  BackendRefusedError,
  BackendUnavailableError,
  RetryLaterError,
} from '../../../lib/discovery/discovery.errors.js';
import type { BackendContext, DiscoveryBackend } from '../../../lib/discovery/discovery-backend.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { makeContext, makeInstance, readFirst } from './support/backend-fixtures.js';
import { eventually } from '../../support/eventually.js';
import { ScriptedServer } from './support/scripted-server.js';

// What a real agent cannot be made to show: refusals without ACLs, proxies' pages, broken answers, a flood of changes.
describe('consul behind an agent that misbehaves', () => {
  const server = new ScriptedServer();
  const { signal } = new AbortController();
  let url: string;
  let backends: DiscoveryBackend[];

  beforeEach(async () => {
    url = await server.listen();
    backends = [];
    server.requests.length = 0;
  });
  afterEach(async () => {
    for (const backend of backends) await backend.close?.();
    await server.close();
  });

  function open(options: ConsulOptions = {}, context: Partial<BackendContext> = {}) {
    const backend = consul({ url, wait: '1s', ...options })(makeContext(context));
    backends.push(backend);
    return backend;
  }

  function answer(status: number, body: string, headers: Record<string, string> = {}) {
    server.answers((response) => response.writeHead(status, headers).end(body));
  }

  const first = (backend = open()) => readFirst(backend.source.instances('orders', signal));

  it.each([
    [
      'an error',
      500,
      'No cluster leader',
      { 'x-consul-index': '3' },
      /500 to GET .*No cluster leader/,
    ],
    ['a page of a proxy', 200, '<html>welcome</html>', { 'x-consul-index': '3' }, /not JSON/],
    ['a list without an index', 200, '[]', {}, /X-Consul-Index/],
    ['an index of zero', 200, '[]', { 'x-consul-index': '0' }, /X-Consul-Index/],
    ['an object instead of a list', 200, '{}', { 'x-consul-index': '3' }, /a list of instances/],
  ])('breaks its stream at %s', async (_, status, body, headers, sentence) => {
    answer(status, body, headers);
    const failure = await first().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BackendUnavailableError);
    expect((failure as Error).message).toMatch(sentence);
  });

  it('breaks its stream at an answer that breaks off', async () => {
    server.answers((response) => {
      response.writeHead(200, { 'x-consul-index': '3', 'content-length': '500' });
      response.write('[{"Service":', () => response.destroy());
    });
    await expect(first()).rejects.toBeInstanceOf(BackendUnavailableError);
  });

  it('breaks its stream when no answer comes, a sixteenth of the wait and ten seconds late', async () => {
    const clock = new FakeClock();
    server.answers(() => {});
    let failure: unknown;
    void first(open({ wait: '16s' }, { clock })).catch((error: unknown) => (failure = error));
    await eventually(() => expect(server.requests).toHaveLength(1));
    await clock.advance(26_900);
    expect(failure).toBeUndefined();
    await clock.advance(200);
    await eventually(() => expect(failure).toBeInstanceOf(BackendUnavailableError));
    expect((failure as Error).message).toContain('27000 ms');
  });

  it.each([400, 401, 403])(
    'says at %i that a person must mend it, and never shows the token',
    async (status) => {
      answer(status, 'Permission denied');
      const failure = await first(open({ token: 'very-secret' })).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(BackendRefusedError);
      expect((failure as Error).message).toContain(`${status}`);
      expect((failure as Error).message).not.toContain('very-secret');
    },
  );

  it('says at 429 when to come again', async () => {
    answer(429, 'slow down', { 'retry-after': '7' });
    const failure = await first().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RetryLaterError);
    expect((failure as RetryLaterError).retryAfter).toBe(7_000);
  });

  it('does not take an empty list for the truth when ACLs have emptied it', async () => {
    answer(200, '[]', { 'x-consul-index': '3', 'x-consul-results-filtered-by-acls': 'true' });
    await expect(first()).rejects.toBeInstanceOf(BackendRefusedError);
  });

  it('tells a token that may not see the nodes from a service without instances', async () => {
    let nodes = '[]';
    server.answers((response, request) => {
      const body = request.url?.startsWith('/v1/catalog/nodes') ? nodes : '[]';
      response.writeHead(200, { 'x-consul-index': '3' }).end(body);
    });
    await expect(first()).rejects.toThrow('may not see the nodes');
    nodes = '[{"Node":"n1"}]';
    expect(await first()).toEqual([]);
  });

  it('asks from the beginning after an index that went back', async () => {
    const indexes = ['30', '4', '5'];
    server.answers((response, request) => {
      const next = server.requests.length > 3 ? undefined : indexes[server.requests.length - 1];
      if (!next) return;
      response
        .writeHead(200, { 'x-consul-index': next })
        .end(JSON.stringify([health(request.url)]));
    });
    const stopped = new AbortController();
    const done = drain(open().source.instances('orders', stopped.signal));
    await eventually(() => expect(server.requests).toHaveLength(4));
    expect(server.requests.map(({ url }) => url.searchParams.get('index'))).toEqual([
      '0',
      '30',
      '0',
      '5',
    ]);
    stopped.abort();
    await done;
  });

  it('asks at most five times at once and then twice a second, and yields what is new only', async () => {
    const clock = new FakeClock();
    let index = 0;
    server.answers((response) => {
      response.writeHead(200, { 'x-consul-index': String(++index) });
      response.end(JSON.stringify([health('same')]));
    });
    const stopped = new AbortController();
    const done = drain(open({}, { clock }).source.instances('orders', stopped.signal));
    await eventually(() => expect(server.requests).toHaveLength(5));
    for (const expected of [6, 7, 8]) {
      await eventually(() => expect(clock.waiting).toBe(1));
      await clock.advance(500);
      await eventually(() => expect(server.requests).toHaveLength(expected));
    }
    stopped.abort();
    expect(await done).toHaveLength(1);
  });

  it('waits in the agent, reads stale answers, and names the datacenter', async () => {
    answer(200, JSON.stringify([health('one')]), { 'x-consul-index': '3' });
    await first(open({ wait: '45s', datacenter: 'dc2' }));
    const { url: asked } = server.requests[0] ?? { url: new URL('http://none') };
    expect(asked.pathname).toBe('/v1/health/service/orders');
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      stale: '',
      dc: 'dc2',
      index: '0',
      wait: expect.stringMatching(/^4[0-5]\d{3}ms$/),
    });
  });

  it('tells a forgotten lease from an agent in trouble', async () => {
    answer(200, '');
    const lease = await open().registry?.register(makeInstance(), signal);
    answer(404, 'Unknown check ID "service:orders-1"');
    expect(await lease?.renew('up', signal)).toBe('lost');
    answer(500, 'CheckID "service:orders-1" does not have associated TTL');
    expect(await lease?.renew('up', signal)).toBe('lost');
    answer(500, 'No cluster leader');
    await expect(lease?.renew('up', signal)).rejects.toBeInstanceOf(BackendUnavailableError);
    answer(403, 'ACL not found');
    await expect(lease?.renew('up', signal)).rejects.toBeInstanceOf(BackendRefusedError);
    answer(429, '', { 'retry-after': '3' });
    await expect(lease?.renew('up', signal)).rejects.toBeInstanceOf(RetryLaterError);
  });

  it('gives a heartbeat up when its signal aborts', async () => {
    answer(200, '');
    const lease = await open().registry?.register(makeInstance(), signal);
    server.answers(() => {});
    const controller = new AbortController();
    const asked = server.requests.length;
    const beat = lease?.renew('up', controller.signal);
    await eventually(() => expect(server.requests).toHaveLength(asked + 1));
    controller.abort(new Error('no more'));
    await expect(beat).rejects.toThrow('no more');
  });

  it('registers in its namespace, replaces old checks, and sends the token', async () => {
    let token: unknown;
    server.answers((response, request) => {
      token = request.headers['x-consul-token'];
      response.writeHead(200).end();
    });
    const backend = open({ token: 'very-secret' }, { namespace: 'staging', ttl: 9_000 });
    await backend.registry?.register(makeInstance({ status: 'degraded' }), signal);
    const [registration, beat] = server.requests;
    expect(registration?.url.searchParams.get('replace-existing-checks')).toBe('true');
    expect(JSON.parse(registration?.body ?? '')).toMatchObject({
      ID: 'orders-1',
      Name: 'staging--orders',
      Checks: [{ TTL: '9000ms', Status: 'warning', DeregisterCriticalServiceAfter: '60000ms' }],
    });
    expect(beat?.url.pathname).toBe('/v1/agent/check/warn/service%3Aorders-1');
    expect(token).toBe('very-secret');
  });

  it('lists the services of its own namespace, and not Consul itself', async () => {
    answer(200, '{"consul":[],"orders":[],"staging--orders":[],"staging--till":[]}', {
      'x-consul-index': '3',
    });
    const plain = readFirst(open().source.services(signal));
    expect(await plain).toEqual(['orders']);
    const staged = readFirst(open({}, { namespace: 'staging' }).source.services(signal));
    expect(await staged).toEqual(['orders', 'till']);
  });
});

describe('consul', () => {
  it('is for other machines unless its agent is on this one', () => {
    const urls = ['http://127.0.0.1:8500', 'http://[::1]:8500', 'https://consul.internal:8501'];
    const remote = urls.map((url) => consul({ url })(makeContext()).remote);
    expect(remote).toEqual([false, false, true]);
  });

  it('refuses options it cannot use, with path and remedy', () => {
    expect(() => consul({ deregisterCriticalAfter: '5s' })).toThrow(
      'consul.deregisterCriticalAfter is 5s. Make it at least 1m.',
    );
    expect(() => consul({ check: { http: 'health' } })).toThrow(/consul\.check\.http is 'health'/);
    expect(() => consul({ tokn: 'x' } as ConsulOptions)).toThrow(/Did you mean "token"/);
    expect(() => consul({ url: 'unix:///run/consul.sock' })(makeContext())).toThrow(/consul\.url/);
    expect(() => consul()(makeContext({ namespace: 'a--b' }))).toThrow(/discovery\.namespace/);
  });
});

function health(seed = '') {
  return {
    Node: { Node: 'n1', Address: '10.0.0.1' },
    Service: { ID: `orders-${seed.length}`, Service: 'orders', Port: 3_001 },
    Checks: [],
  };
}

async function drain<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
}
