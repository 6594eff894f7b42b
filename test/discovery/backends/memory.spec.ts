import { describe, expect, it } from '@jest/globals';
import { memory, MemoryHub } from '../../../lib/discovery/backends/memory.backend.js';
import { describeDiscoveryBackend } from '../../../lib/testing/discovery-backend.contract.js';
import { makeContext, makeInstance, readFirst } from './support/backend-fixtures.js';

const hub = new MemoryHub();

describeDiscoveryBackend('memory', () => memory(hub), {
  describe,
  it,
  forget: () => hub.clear(),
});

describe('memory', () => {
  it('is a registry of its own without a hub', async () => {
    const [one, two] = [memory()(makeContext()), memory()(makeContext())];
    await one.registry?.register(makeInstance(), new AbortController().signal);
    expect(
      await readFirst(one.source.instances('orders', new AbortController().signal)),
    ).toHaveLength(1);
    expect(await readFirst(two.source.instances('orders', new AbortController().signal))).toEqual(
      [],
    );
  });

  it('leaves an instance alone that another has taken over', async () => {
    const { signal } = new AbortController();
    const { registry, source } = memory()(makeContext());
    const old = await registry?.register(makeInstance(), signal);
    await registry?.register(makeInstance({ port: 3002 }), signal);
    expect(await old?.renew('down', signal)).toBe('ok');
    await old?.revoke(signal);
    expect(await readFirst(source.instances('orders', signal))).toEqual([
      makeInstance({ port: 3002 }),
    ]);
  });

  it('is not for other machines', () => {
    expect(memory()(makeContext()).remote).toBe(false);
  });
});
