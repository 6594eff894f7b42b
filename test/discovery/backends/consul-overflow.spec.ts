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
  /** None for a check of the node. */
  readonly service: string;
  readonly status: string;
  readonly created: number;
  readonly modified: number;
  readonly output?: string;
  /** Of its service; the first where it says nothing. */
  readonly instance?: number;
}

// Counts what is asked of an agent, which a real one does not tell.
describe('consul with more services than queries may wait', () => {
  const server = new ScriptedServer();
  let backend: DiscoveryBackend;
  let lives: ReturnType<typeof follow>[];
  let indexes: { services: number; checks: number };
  let checks: Check[];
  let instances: number;
  /** What a reading of a service shows, where it is newer than the lists of checks. */
  let shown: readonly Check[] | undefined;
  let readIndex: number;
  let broken: boolean;
  const parked = new Set<{ readonly path: string; readonly wake: () => void }>();

  beforeEach(async () => {
    indexes = { services: 1, checks: 1 };
    checks = [{ service: LAST, status: 'passing', created: 1, modified: 1 }];
    shown = undefined;
    readIndex = 1;
    broken = false;
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
    const send = () => {
      const { index, body } = whatIsAt(pathname, searchParams);
      response.writeHead(200, { 'x-consul-index': String(index) }).end(JSON.stringify(body));
    };
    const asked = Number(searchParams.get('index') ?? '0');
    if (asked < whatIsAt(pathname, searchParams).index) return send();
    const wake = () => {
      parked.delete(entry);
      send();
    };
    const entry = { path: pathname, wake };
    parked.add(entry);
  }

  function whatIsAt(path: string, query: URLSearchParams) {
    if (path === '/v1/catalog/nodes') return { index: 1, body: [{ Node: 'n1' }] };
    if (path === '/v1/catalog/services') return { index: indexes.services, body: {} };
    if (path !== '/v1/health/state/any') {
      const service = path.split('/').at(-1)!;
      const own = (shown ?? checks).filter((each) => each.service === service);
      const body = Array.from({ length: instances }, (_, n) => ({
        Node: { Node: 'n1', Address: '10.0.0.1' },
        Service: { ID: `${n}`, Service: service, Port: 3_001 },
        Checks: own.filter(({ instance = 0 }) => instance === n).map(toConsul),
      }));
      return { index: readIndex, body };
    }
    if (broken) return { index: indexes.checks, body: { page: 'not found' } };
    const failingOnly = query.get('filter') === 'Status != "passing"';
    const body = checks.filter(({ status }) => !failingOnly || status !== 'passing').map(toConsul);
    return { index: indexes.checks, body };
  }

  function wake(path: string): void {
    for (const each of parked) if (each.path === path) each.wake();
  }

  const asked = () =>
    server.requests.map(({ url }) =>
      url.searchParams.has('filter') || url.searchParams.has('node-meta')
        ? `${url.pathname} in part`
        : url.pathname,
    );
  const statuses = () => lives.map(({ current }) => current?.[0]?.status);
  /** What is asked after the list of failing checks has changed, and half a second later, to wait once more. */
  const LOOK = [
    '/v1/catalog/services in part',
    '/v1/catalog/services in part',
    '/v1/health/state/any in part',
  ];

  /** The last service fails its check as of an index, and all that this causes has been asked. */
  async function failLast(index: number): Promise<void> {
    indexes.checks = index;
    checks = [{ service: LAST, status: 'critical', created: 1, modified: index }];
    wake('/v1/health/state/any');
    await eventually(() => expect(statuses()).toEqual(allBut(1, 'down')));
    await eventually(() => expect(asked()).toEqual(LOOK));
  }

  it('shows a check that fails, and that passes again, without reading a service', async () => {
    await failLast(2);
    indexes.checks = 3;
    checks = [{ service: LAST, status: 'passing', created: 1, modified: 3 }];
    wake('/v1/health/state/any');
    await eventually(() => expect(statuses()).toEqual(allBut(0, '')));
    await eventually(() => expect(asked()).toEqual([...LOOK, ...LOOK]));
  });

  it('shows all services of a node that fails without reading one', async () => {
    indexes.checks = 2;
    checks.push({ service: '', status: 'critical', created: 1, modified: 2 });
    wake('/v1/health/state/any');
    await eventually(() => expect(statuses()).toEqual(allBut(SERVICES - WAITING, 'down')));
    await eventually(() => expect(asked()).toEqual(LOOK));
  });

  it('reads nothing again for a check that passes as before, with another output', async () => {
    indexes.checks = 2;
    checks = [{ service: LAST, status: 'passing', created: 1, modified: 2, output: 'well' }];
    wake('/v1/health/state/any');
    await eventually(() => expect(asked()).toEqual(LOOK));
  });

  it('reads all checks when an instance was registered, and the services that have others again', async () => {
    instances = 2;
    indexes.services = 2;
    checks.push({ service: LAST, status: 'passing', created: 2, modified: 2, instance: 1 });
    wake('/v1/catalog/services');
    await eventually(() => expect(lives.at(-1)?.current).toHaveLength(2));
    expect(lives.at(-2)?.current).toHaveLength(1);
    await eventually(() =>
      expect(asked()).toEqual([
        '/v1/catalog/services in part',
        '/v1/health/state/any',
        `/v1/health/service/${LAST}`,
        '/v1/catalog/services in part',
        '/v1/catalog/services',
      ]),
    );
  });

  it('takes no check that is gone for one that passes, when its instance may be gone too', async () => {
    await failLast(2);
    const seen: unknown[] = [];
    lives.at(-1)?.onChange((value) => seen.push(value));
    // The query that waits for registrations does not hear of this one yet.
    indexes = { services: 2, checks: 3 };
    checks = [];
    instances = 0;
    wake('/v1/health/state/any');
    await eventually(() => expect(lives.at(-1)?.current).toEqual([]));
    expect(seen).toEqual([[]]);
  });

  it('shows at once what fails while instances are registered, without reading a service', async () => {
    // The query that waits for registrations does not hear of this one yet.
    indexes = { services: 2, checks: 2 };
    checks.push({ service: '', status: 'critical', created: 1, modified: 2 });
    wake('/v1/health/state/any');
    await eventually(() => expect(statuses()).toEqual(allBut(SERVICES - WAITING, 'down')));
    await eventually(() => expect(asked()).toEqual(LOOK));
  });

  it('finds that an instance is gone which came and went between two readings of all checks', async () => {
    await failLast(2);
    // It has passed, so the service is read, and that shows the new one; the list of all checks never does.
    instances = 2;
    indexes = { services: 2, checks: 3 };
    checks = [
      { service: LAST, status: 'passing', created: 1, modified: 3 },
      { service: LAST, status: 'passing', created: 3, modified: 3, instance: 1 },
    ];
    wake('/v1/health/state/any');
    await eventually(() => expect(lives.at(-1)?.current).toHaveLength(2));
    instances = 1;
    checks.pop();
    await eventually(() => expect(lives.at(-1)?.current).toHaveLength(1));
    expect(statuses()).toEqual(allBut(0, ''));
  });

  it('reads a service again that it read from a server which was behind', async () => {
    shown = checks;
    instances = 1;
    indexes.services = 2;
    checks = [
      ...checks,
      { service: LAST, status: 'passing', created: 2, modified: 2, instance: 1 },
    ];
    wake('/v1/catalog/services');
    const reading = `/v1/health/service/${LAST}`;
    await eventually(() => expect(asked()).toContain(reading));
    shown = undefined;
    instances = 2;
    await eventually(() => expect(lives.at(-1)?.current).toHaveLength(2));
    expect(asked().filter((each) => each === reading)).toHaveLength(2);
  });

  it('looks anew at an agent that was started anew between two questions', async () => {
    indexes.services = 5;
    wake('/v1/catalog/services');
    await eventually(() => expect(asked()).toContain('/v1/health/state/any'));
    indexes.checks = 9;
    checks = [{ service: LAST, status: 'critical', created: 1, modified: 9 }];
    wake('/v1/health/state/any');
    await eventually(() => expect(statuses()).toEqual(allBut(1, 'down')));
    // It would let a query wait that goes on from 9.
    indexes = { services: 1, checks: 3 };
    checks = [{ service: LAST, status: 'passing', created: 1, modified: 3 }];
    await eventually(() => expect(statuses()).toEqual(allBut(0, '')));
  });

  it('believes what it read where that is newer than what is known of the checks', async () => {
    instances = 2;
    readIndex = 7;
    indexes.services = 2;
    checks.push({ service: LAST, status: 'passing', created: 2, modified: 2, instance: 1 });
    shown = [1, 2].map((created, instance) => {
      return { service: LAST, status: 'critical', created, modified: 7, instance };
    });
    wake('/v1/catalog/services');
    await eventually(() => expect(lives.at(-1)?.current).toHaveLength(2));
    expect(statuses()).toEqual(allBut(1, 'down'));
    // The check has passed before those that fail were read again: the list of them is what it was.
    indexes.checks = 8;
    wake('/v1/health/state/any');
    await eventually(() => expect(statuses()).toEqual(allBut(0, '')));
  });

  it('reads all services again when the index of the checks goes back, as after a restore', async () => {
    await failLast(9);
    instances = 2;
    indexes.checks = 3;
    checks = [{ service: LAST, status: 'critical', created: 1, modified: 3 }];
    wake('/v1/health/state/any');
    await eventually(() =>
      expect(lives.map(({ current }) => current?.length)).toEqual(
        lives.map((_, n) => (n < WAITING ? 1 : 2)),
      ),
    );
    expect(statuses()).toEqual(allBut(1, 'down'));
  });

  it('waits for nobody who takes his time with a value', async () => {
    const pausing = Array.from({ length: 3 }, (_, n) =>
      backend.source.instances(`slow-${n}`, new AbortController().signal)[Symbol.asyncIterator](),
    );
    for (const each of pausing) expect((await each.next()).done).toBe(false);
    for (const each of pausing) await each.return?.();
  });

  it('takes an answer that is no list for an outage, and keeps what it knows', async () => {
    await failLast(2);
    indexes.checks = 3;
    broken = true;
    wake('/v1/health/state/any');
    await eventually(() =>
      expect(String(lives.at(-1)?.error)).toContain('is no list of checks. Is there a proxy'),
    );
    expect(statuses()).toEqual(allBut(1, 'down'));
  });
});

function allBut(others: number, rest: string): string[] {
  return [
    ...Array.from({ length: SERVICES - others }, () => 'up'),
    ...Array.from({ length: others }, () => rest),
  ];
}

function toConsul({ service, status, created, modified, output = '', instance = 0 }: Check) {
  return {
    Node: 'n1',
    CheckID: `service:${instance}`,
    Status: status,
    Output: output,
    ServiceID: service === '' ? '' : `${instance}`,
    ServiceName: service,
    CreateIndex: created,
    ModifyIndex: modified,
  };
}
