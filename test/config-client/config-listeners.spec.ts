import { describe, expect, it } from '@jest/globals';
import { ConfigListeners } from '../../lib/config-client/config-listeners.js';

const told = (listeners: ConfigListeners, ...keys: string[]) =>
  [...listeners.concerned({ keys, version: '1' })].map(([, change]) => change.keys);

const heardBy = (pattern: string, ...keys: string[]) => {
  const listeners = new ConfigListeners();
  listeners.add(pattern, () => undefined);
  return told(listeners, ...keys).flat();
};

describe('the listeners of a configuration', () => {
  it('are touched by their own keys alone: one key of ten thousand touches one of ten thousand', () => {
    const listeners = new ConfigListeners();
    let calls = 0;
    for (let at = 0; at < 10_000; at++) listeners.add(`group${at % 100}.key${at}`, () => calls++);
    const concerned = [...listeners.concerned({ keys: ['group42.key142'], version: '2' })];
    expect(concerned).toHaveLength(1);
    for (const [listener, change] of concerned) listener(change);
    expect(calls).toBe(1);
  });

  it('hear of what is at and below a key, below a pattern, or of everything', () => {
    const keys = ['db', 'db.url', 'db.hosts[0].name', 'dbx.url', 'other'];
    expect(heardBy('db', ...keys)).toEqual(['db', 'db.url', 'db.hosts[0].name']);
    expect(heardBy('db.*', ...keys)).toEqual(['db.url', 'db.hosts[0].name']);
    expect(heardBy('db.hosts', ...keys)).toEqual(['db.hosts[0].name']);
    expect(heardBy('db.hosts[0]', ...keys)).toEqual(['db.hosts[0].name']);
    expect(heardBy('*', ...keys)).toEqual(keys);
    expect(heardBy('d', ...keys)).toEqual([]);
  });

  it('are told once for each change, in the order they came', () => {
    const listeners = new ConfigListeners();
    const order: string[] = [];
    for (const pattern of ['b.*', '*', 'b.c', 'a'])
      listeners.add(pattern, () => order.push(pattern));
    for (const [listener, change] of listeners.concerned({
      keys: ['a', 'b.c', 'b.d'],
      version: '1',
    }))
      listener(change);
    expect(order).toEqual(['b.*', '*', 'b.c', 'a']);
  });

  it('can leave', () => {
    const listeners = new ConfigListeners();
    const stop = listeners.add('a', () => undefined);
    const other = listeners.add('a', () => undefined);
    stop();
    expect(told(listeners, 'a')).toHaveLength(1);
    other();
    stop();
    expect(told(listeners, 'a')).toEqual([]);
  });
});
