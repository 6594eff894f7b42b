import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Live } from '../../../lib/common/live.js';
import { consul } from '../../../lib/discovery/backends/consul.backend.js';
import type { DiscoveryBackend } from '../../../lib/discovery/discovery-backend.js';
import type { ServiceInstance } from '../../../lib/discovery/service-instance.js';
import { startAgent } from '../../support/consul/agent.mjs';
import { eventually } from '../../support/eventually.js';
import { makeContext } from './support/backend-fixtures.js';
import { follow } from './support/follow.js';

// None of these can be found by the reading once a minute: that is later than `eventually` waits.
describe('a service that has no waiting query of its own', () => {
  let agent: Awaited<ReturnType<typeof startAgent>>;
  let backend: DiscoveryBackend;
  let others: Live<readonly ServiceInstance[]>[];
  let last: Live<readonly ServiceInstance[]>;

  beforeAll(async () => {
    agent = await startAgent();
    backend = consul({ url: agent.url })(makeContext());
    others = Array.from({ length: 20 }, (_, n) => follow(backend, `early-${n}`));
    await Promise.all(others.map((live) => live.ready()));
    last = follow(backend, 'last');
    await last.ready();
  }, 30_000);

  afterAll(async () => {
    for (const live of [...others, last]) live.close();
    await backend.close?.();
    await agent.stop();
  });

  async function put(path: string, body?: object): Promise<void> {
    const answer = await fetch(`${agent.url}/v1/${path}`, {
      method: 'PUT',
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  }

  const shown = (states: Record<string, string>) =>
    eventually(() =>
      expect(Object.fromEntries(last.current.map(({ id, status }) => [id, status]))).toEqual(
        states,
      ),
    );

  it('is shown with each change of its instances and checks', async () => {
    const register = (id: string) =>
      put('agent/service/register', {
        ID: id,
        Name: 'last',
        Port: 9_000,
        Check: { CheckID: id, TTL: '10m', Status: 'passing' },
      });
    await register('one');
    await shown({ one: 'up' });
    await register('two');
    await shown({ one: 'up', two: 'up' });
    await put('agent/check/fail/two');
    await shown({ one: 'up', two: 'down' });
    await put('agent/check/warn/two');
    await shown({ one: 'up', two: 'degraded' });
    await put('agent/check/pass/two');
    await shown({ one: 'up', two: 'up' });
    await put('agent/service/deregister/two');
    await shown({ one: 'up' });
    await put('agent/service/maintenance/one?enable=true');
    await shown({ one: 'draining' });
    await put('agent/service/maintenance/one?enable=false');
    await shown({ one: 'up' });
  }, 30_000);

  it('is shown to be up though its check failed only until it was looked at', async () => {
    for (const id of ['three', 'four', 'five']) {
      // Without a status a check is critical until it passes.
      const Check = { CheckID: id, TTL: '10m' };
      await put('agent/service/register', { ID: id, Name: 'last', Port: 9_000, Check });
      await eventually(() => expect(last.current.map((each) => each.id)).toContain(id));
      await put(`agent/check/pass/${id}`);
      await shown({ one: 'up', [id]: 'up' });
      await put(`agent/service/deregister/${id}`);
      await shown({ one: 'up' });
    }
  }, 30_000);

  it('is shown to be down with its node', async () => {
    const node = (status: string) =>
      put('catalog/register', {
        Node: 'elsewhere',
        Address: '10.0.0.9',
        SkipNodeUpdate: true,
        Check: { CheckID: 'serfHealth', Name: 'Serf Health Status', Status: status },
      });
    await put('catalog/register', {
      Node: 'elsewhere',
      Address: '10.0.0.9',
      Service: { ID: 'far', Service: 'last', Port: 9_000 },
      Check: { CheckID: 'far', ServiceID: 'far', Status: 'passing' },
    });
    await shown({ one: 'up', far: 'up' });
    await node('critical');
    await shown({ one: 'up', far: 'down' });
    await node('passing');
    await shown({ one: 'up', far: 'up' });
    await put('catalog/deregister', { Node: 'elsewhere' });
    await shown({ one: 'up' });
  }, 30_000);
});
