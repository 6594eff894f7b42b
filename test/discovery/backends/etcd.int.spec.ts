import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../../../lib/common/clock.js';
import { Live } from '../../../lib/common/live.js';
import { etcd } from '../../../lib/discovery/backends/etcd.backend.js';
import type { DiscoveryBackend } from '../../../lib/discovery/discovery-backend.js';
import type { ServiceInstance } from '../../../lib/discovery/service-instance.js';
import { describeDiscoveryBackend } from '../../../lib/testing/discovery-backend.contract.js';
import { eventually } from '../../support/eventually.js';
import { startEtcd } from '../../support/servers/server.mjs';
import { makeContext, makeInstance } from './support/backend-fixtures.js';

const { signal } = new AbortController();
let url = '';
let server: Awaited<ReturnType<typeof startEtcd>>;

beforeAll(async () => {
  server = await startEtcd();
  url = server.url;
}, 60_000);
afterAll(() => server.stop());

function follow(backend: DiscoveryBackend, service: string): Live<readonly ServiceInstance[]> {
  return new Live({
    clock: new SystemClock(),
    open: (given) => backend.source.instances(service, given),
  });
}

async function ask(path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${url}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

describeDiscoveryBackend('etcd', () => etcd({ url }), {
  describe,
  it,
  crash: 'expires',
  ttl: 2_000,
  forget: () => ask('kv/deleterange', { key: base64('/'), range_end: base64('0') }),
});

describe('etcd', () => {
  let backend: DiscoveryBackend;
  beforeAll(() => {
    backend = etcd({ url })(makeContext());
  });
  afterAll(() => backend.close?.());

  it('reads on from where it was when its history was compacted', async () => {
    const live = follow(backend, 'ledger');
    await live.ready();
    let failures = 0;
    const first = makeInstance({ id: 'ledger-1', service: 'ledger' });
    const lease = await backend.registry?.register(first, signal);
    await eventually(() => expect(live.current).toEqual([first]));
    const { header } = (await ask('kv/range', { key: base64('/') })) as {
      header: { revision: string };
    };
    await ask('kv/compaction', { revision: header.revision, physical: true });
    const second = makeInstance({ id: 'ledger-2', service: 'ledger' });
    const other = await backend.registry?.register(second, signal);
    await eventually(() => expect(live.current).toHaveLength(2));
    if (live.error) failures++;
    expect(failures).toBe(0);
    live.close();
    await lease?.revoke(signal);
    await other?.revoke(signal);
  });

  it('leaves out keys that hold no instance, or another than their name says', async () => {
    const prefix = '/nest-rookery/default/odd/';
    const foreign = makeInstance({ id: 'x', service: 'other' });
    await ask('kv/put', { key: base64(`${prefix}x`), value: base64(JSON.stringify(foreign)) });
    await ask('kv/put', { key: base64(`${prefix}y`), value: base64('no json') });
    const live = follow(backend, 'odd');
    await live.ready();
    expect(live.current).toEqual([]);
    live.close();
  });

  it('watches more services than it has connections for waiting', async () => {
    const many = Array.from({ length: 30 }, (_, n) => follow(backend, `crowd-${n}`));
    await Promise.all(many.map((live) => live.ready()));
    const last = makeInstance({ id: 'crowd-29-1', service: 'crowd-29' });
    const lease = await backend.registry?.register(last, signal);
    await eventually(() => expect(many[29]?.current).toEqual([last]));
    for (const live of many) live.close();
    await lease?.revoke(signal);
  });

  it('lets the newer of two with one id stay when the older leaves', async () => {
    const instance = makeInstance({ id: 'twin-1', service: 'twin' });
    const older = await backend.registry?.register(instance, signal);
    const newer = await backend.registry?.register({ ...instance, port: 3_002 }, signal);
    expect(await older?.renew('degraded', signal)).toBe('ok');
    await older?.revoke(signal);
    const live = follow(backend, 'twin');
    await eventually(() => expect(live.current).toEqual([{ ...instance, port: 3_002 }]));
    live.close();
    await newer?.revoke(signal);
  });

  it('says what is wrong when what answers is no etcd', async () => {
    const stranger = etcd({ url: 'http://127.0.0.1:1' })(makeContext());
    await expect(stranger.registry?.register(makeInstance(), signal)).rejects.toThrow(
      'etcd at 127.0.0.1:1 cannot be reached',
    );
  });

  it('recovers its stream when the server dies and comes back empty, and says that the lease is lost', async () => {
    const instance = makeInstance();
    const lease = await backend.registry?.register(instance, signal);
    const live = follow(backend, 'orders');
    await eventually(() => expect(live.current).toEqual([instance]));
    await server.kill();
    await eventually(() => expect(live.error).toBeInstanceOf(Error));
    await expect(lease?.renew('up', signal)).rejects.toThrow('cannot be reached');
    expect(live.current).toEqual([instance]);
    server = await startEtcd({ ports: server.ports });
    await eventually(async () => expect(await lease?.renew('up', signal)).toBe('lost'));
    await backend.registry?.register(instance, signal);
    await eventually(() => {
      expect(live.error).toBeUndefined();
      expect(live.current).toEqual([instance]);
    });
    live.close();
  }, 30_000);
});
