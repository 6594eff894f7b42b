import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { consul } from '../../../lib/discovery/backends/consul.backend.js';
import type { DiscoveryBackend } from '../../../lib/discovery/discovery-backend.js';
import { eventually } from '../../support/eventually.js';
import { makeContext } from './support/backend-fixtures.js';
import { follow } from './support/follow.js';
import { ScriptedServer } from './support/scripted-server.js';

const WAITING = 13;
const SERVICES = 30;
const LAST = `crowd-${SERVICES - 1}`;

interface Check {
  readonly service: string;
  readonly status: string;
  readonly created: number;
  readonly modified: number;
}

// Counts what is asked of an agent, which a real one does not tell.
describe('consul with more services than queries may wait', () => {
  const server = new ScriptedServer();
  let backend: DiscoveryBackend;
  let lives: ReturnType<typeof follow>[];
  let indexes: { services: number; checks: number };
  let checks: Check[];
  let instances: number;
  const parked = new Set<{ readonly path: string; readonly wake: () => void }>();

  beforeEach(async () => {
    indexes = { services: 1, checks: 1 };
    checks = [{ service: LAST, status: 'passing', created: 1, modified: 1 }];
    instances = 1;
    server.requests.length = 0;
    server.answers((response, request) => answer(response, request.url ?? ''));
    backend = consul({ url: await server.listen(), wait: '30s' })(makeContext());
    lives = Array.from({ length: SERVICES }, (_, n) => follow(backend, `crowd-${n}`));
    await Promise.all(lives.map((live) => live.ready()));
    // Those with a query of their own wait for a second answer, and the others share two.
    await eventually(() => expect(parked.size).toBe(WAITING + 2));
    server.requests.length = 0;
  });

  afterEach(async () => {
    for (const live of lives) live.close();
    await backend.close?.();
    await server.close();
    parked.clear();
  });

  function answer(response: ServerResponse, url: string): void {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const { index, body } = whatIsAt(pathname, searchParams);
    const asked = Number(searchParams.get('index') ?? '0');
    if (asked !== index) {
      response.writeHead(200, { 'x-consul-index': String(index) }).end(JSON.stringify(body));
      return;
    }
    const entry = { path: pathname, wake: () => wake() };
    const wake = () => {
      parked.delete(entry);
      answer(response, url);
    };
    parked.add(entry);
  }

  function whatIsAt(path: string, query: URLSearchParams) {
    if (path === '/v1/catalog/services') return { index: indexes.services, body: {} };
    if (path !== '/v1/health/state/any') {
      const body = Array.from({ length: instances }, (_, n) => health(n));
      return { index: 1, body };
    }
    const failingOnly = query.get('filter') === 'Status != "passing"';
    const body = checks
      .filter(({ status }) => !failingOnly || status !== 'passing')
      .map(({ service, status, created, modified }) => ({
        ServiceName: service,
        Status: status,
        CreateIndex: created,
        ModifyIndex: modified,
      }));
    return { index: indexes.checks, body };
  }

  function wake(path: string): void {
    for (const each of parked) if (each.path === path) each.wake();
  }

  const asked = () =>
    server.requests.map(({ url }) =>
      url.searchParams.has('filter') ? `${url.pathname} failing` : url.pathname,
    );

  it('reads a service again when one of its checks fails, and no other', async () => {
    instances = 2;
    indexes.checks = 2;
    checks = [{ service: LAST, status: 'critical', created: 1, modified: 2 }];
    wake('/v1/health/state/any');
    await eventually(() => expect(lives.at(-1)?.current).toHaveLength(2));
    expect(lives.at(-2)?.current).toHaveLength(1);
    // It waits again half a second later.
    await eventually(() =>
      expect(asked()).toEqual([`/v1/health/service/${LAST}`, '/v1/health/state/any failing']),
    );
  });

  it('reads nothing again for a check that passes as before, with another output', async () => {
    indexes.checks = 2;
    checks = [{ service: LAST, status: 'passing', created: 1, modified: 2 }];
    wake('/v1/health/state/any');
    await eventually(() => expect(asked()).toEqual(['/v1/health/state/any failing']));
  });

  it('reads all checks when an instance was registered, and the services that have others again', async () => {
    instances = 2;
    indexes.services = 2;
    checks.push({ service: LAST, status: 'passing', created: 2, modified: 2 });
    wake('/v1/catalog/services');
    await eventually(() => expect(lives.at(-1)?.current).toHaveLength(2));
    expect(lives.at(-2)?.current).toHaveLength(1);
    await eventually(() =>
      expect(asked()).toEqual([
        '/v1/health/state/any',
        `/v1/health/service/${LAST}`,
        '/v1/catalog/services',
      ]),
    );
  });

  it('reads all again when a node fails, because only that tells who is on it', async () => {
    instances = 2;
    indexes.checks = 2;
    checks.push({ service: '', status: 'critical', created: 1, modified: 2 });
    wake('/v1/health/state/any');
    await eventually(() =>
      expect(lives.map(({ current }) => current?.length)).toEqual([
        ...Array.from({ length: WAITING }, () => 1),
        ...Array.from({ length: SERVICES - WAITING }, () => 2),
      ]),
    );
  });
});

function health(n: number) {
  return {
    Node: { Node: 'n1', Address: '10.0.0.1' },
    Service: { ID: `${n}`, Service: 'any', Port: 3_001 },
    Checks: [],
  };
}
