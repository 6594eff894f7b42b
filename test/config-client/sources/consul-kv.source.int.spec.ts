import { afterEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../../../lib/common/clock.js';
import { messageOf } from '../../../lib/common/errors.js';
import { Live } from '../../../lib/common/live.js';
import type { ConfigSnapshot } from '../../../lib/config-client/config-source.js';
import {
  consulKv,
  type ConsulKvOptions,
} from '../../../lib/config-client/sources/consul-kv.source.js';
import { freePorts, startAgent, type TestAgent } from '../../support/consul/agent.mjs';
import { eventually } from '../../support/eventually.js';

const url = process.env['CONSUL_URL'] ?? '';
const clock = new SystemClock();
const lives: Live<ConfigSnapshot>[] = [];
const agents: TestAgent[] = [];
let prefixes = 0;

async function put(key: string, value: string | Buffer, at = url): Promise<void> {
  const answer = await fetch(`${at}/v1/kv/${key}`, { method: 'PUT', body: value });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

async function remove(key: string): Promise<void> {
  await fetch(`${url}/v1/kv/${key}`, { method: 'DELETE' });
}

function follow(options: ConsulKvOptions, profiles = ['prod', 'eu']) {
  const errors: string[] = [];
  const source = consulKv({ url, ...options })({ clock });
  let changes = 0;
  const live = new Live({
    clock,
    open: (signal) => source.watch({ name: 'orders', profiles }, signal),
    backoff: { most: 200 },
    onError: (error) => errors.push(messageOf(error)),
  });
  live.onChange(() => changes++);
  lives.push(live);
  const layers = () =>
    (live.latest?.sources ?? []).map(({ name, source: values }) => [name, values]);
  return { live, errors, layers, changes: () => changes };
}

const prefix = () => `conf-${process.pid}-${++prefixes}`;

afterEach(async () => {
  for (const live of lives.splice(0)) live.close();
  for (const agent of agents.splice(0)) await agent.stop();
});

describe("Consul's keys as a source of configuration", () => {
  it('are properties: those of the application above the shared ones, profiles above their base', async () => {
    const at = prefix();
    await put(`${at}/application/db/pool/max`, '1');
    await put(`${at}/application,eu/db/url`, 'eu');
    await put(`${at}/orders/db/pool/max`, '5');
    await put(`${at}/orders,prod/db/url`, 'prod');
    await put(`${at}/payments/db/url`, 'not ours');
    await put(`${at}/orders/__proto__/x`, 'evil');
    const { live, layers } = follow({ prefix: at });
    await live.ready();
    expect(layers()).toEqual([
      [`consul:${at}/orders,prod/`, { 'db.url': 'prod' }],
      [`consul:${at}/orders/`, { 'db.pool.max': '5' }],
      [`consul:${at}/application,eu/`, { 'db.url': 'eu' }],
      [`consul:${at}/application/`, { 'db.pool.max': '1' }],
    ]);
    expect(live.current.sources[1]?.origins).toEqual({
      'db.pool.max': `consul:${at}/orders/db/pool/max`,
    });
  });

  it('are heard of at once when they change and when they go, and those of others wake nobody', async () => {
    const at = prefix();
    await put(`${at}/orders/a`, '0');
    const { live, layers, changes } = follow({ prefix: at });
    await live.ready();
    const times: number[] = [];
    for (let at2 = 1; at2 <= 20; at2++) {
      const began = performance.now();
      await put(`${at}/orders/a`, String(at2));
      await eventually(() =>
        expect(layers()).toEqual([[`consul:${at}/orders/`, { a: String(at2) }]]),
      );
      times.push(performance.now() - began);
    }
    const before = changes();
    await put(`${at}/payments/a`, 'x');
    await remove(`${at}/orders/a`);
    await eventually(() => expect(layers()).toEqual([]));
    expect(changes()).toBe(before + 1);
    const p50 = times.toSorted((a, b) => a - b)[10] ?? 0;
    expect(p50).toBeLessThan(500);
  });

  it.each<[ConsulKvOptions['format'] & string, string, string, object]>([
    ['yaml', 'orders/data', 'a:\n  b: 1\n', { 'a.b': 1 }],
    ['json', 'orders/data', '{"a":{"b":1}}', { 'a.b': 1 }],
    ['properties', 'orders/data', 'a.b=1', { 'a.b': '1' }],
    ['files', 'orders.yml', 'a.b: 1', { 'a.b': 1 }],
    ['files', 'orders-prod.properties', 'a.b=1', { 'a.b': '1' }],
  ])('may hold %s documents, at %s', async (format, key, text, values) => {
    const at = prefix();
    await put(`${at}/${key}`, text);
    const { live, layers } = follow({ prefix: at, format });
    await live.ready();
    expect(layers()).toEqual([[`consul:${at}/${key}`, values]]);
  });

  it('that are broken keep the last good ones and say where', async () => {
    const at = prefix();
    await put(`${at}/orders/data`, 'a: 1\n');
    const { live, layers, errors } = follow({ prefix: at, format: 'yaml' });
    await live.ready();
    await put(`${at}/orders/data`, 'a: 1\nb: [\n');
    await eventually(() =>
      expect(errors[0]).toMatch(new RegExp(`^consul:${at}/orders/data:\\d: `)),
    );
    expect(layers()).toEqual([[`consul:${at}/orders/data`, { a: 1 }]]);
    await put(`${at}/orders/data`, 'a: 2\n');
    await eventually(
      () => expect(layers()).toEqual([[`consul:${at}/orders/data`, { a: 2 }]]),
      2_000,
    );
  });

  it('outlive their agent, and are read again when it is back, whatever its index is then', async () => {
    const ports = await freePorts();
    const first = await startAgent({ ports });
    await put('config/orders/a', '1', first.url);
    const { live, layers, errors } = follow({ url: first.url });
    await live.ready();
    await first.kill();
    await eventually(() => expect(errors.length).toBeGreaterThan(0));
    expect(errors[0]).toContain(`consul-kv at 127.0.0.1:${ports.http}: `);
    expect(layers()).toEqual([['consul:config/orders/', { a: '1' }]]);
    const second = await startAgent({ ports });
    agents.push(second);
    await put('config/orders/a', '2', second.url);
    await eventually(() => expect(layers()).toEqual([['consul:config/orders/', { a: '2' }]]));
  }, 40_000);
});
