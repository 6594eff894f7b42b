import { describe, expect, it } from '@jest/globals';
import { memory } from '../../lib/discovery/backends/memory.backend.js';
import {
  type DiscoveryOptions,
  readDiscoveryOptions,
} from '../../lib/discovery/discovery.options.js';

const read = (options: unknown, env: NodeJS.ProcessEnv = {}) =>
  readDiscoveryOptions(options as DiscoveryOptions, env);

describe('the options of discovery', () => {
  it('have defaults for everything', () => {
    expect(read(undefined)).toEqual({
      name: undefined,
      version: undefined,
      backend: undefined,
      namespace: 'default',
      register: undefined,
      host: undefined,
      port: undefined,
      scheme: undefined,
      zone: undefined,
      weight: 1,
      tags: [],
      metadata: {},
      heartbeat: { interval: 5_000, ttl: 15_000 },
      drain: { delay: undefined, limit: 25_000 },
      emptyHold: 5_000,
      network: undefined,
      services: [],
      allow: { networks: [], ports: [] },
      signing: undefined,
      trust: [],
      returnHold: undefined,
    });
  });

  it('take the heartbeat from the TTL', () => {
    expect(read({ heartbeat: { ttl: '30s' } }).heartbeat.interval).toBe(10_000);
  });

  it('take the namespace from the environment, and check it there too', () => {
    expect(read({}, { DISCOVERY_NAMESPACE: 'shop' }).namespace).toBe('shop');
    expect(read({ namespace: 'mine' }, { DISCOVERY_NAMESPACE: 'shop' }).namespace).toBe('mine');
    expect(() => read({}, { DISCOVERY_NAMESPACE: 'My Shop' })).toThrow(
      "DISCOVERY_NAMESPACE is 'My Shop'. Use lower-case letters, digits and inner hyphens, at most 63.",
    );
  });

  it('take a backend by name or as it is', () => {
    const made = memory();
    expect(read({ backend: made }).backend).toBe(made);
    expect(read({ backend: 'consul' }).backend).toBe('consul');
  });

  it.each<[unknown, string]>([
    [
      { heartbeat: { interval: '60s', ttl: '30s' } },
      'discovery.heartbeat.interval is 60s, longer than the TTL of 30s. Make it 10s, or leave it out.',
    ],
    [
      { heartbeat: { interval: '30s', ttl: '30s' } },
      'discovery.heartbeat.interval is 30s, as long as the TTL of 30s. Make it 10s, or leave it out.',
    ],
    [
      { heartbeat: { interval: 60_000, ttl: 30_000 } },
      'discovery.heartbeat.interval is 1m, longer than the TTL of 30s. Make it 10s, or leave it out.',
    ],
    [
      { heartbeat: { interval: '20s' } },
      'discovery.heartbeat.interval is 20s, longer than the TTL of 15s. Make it 5s, or leave it out.',
    ],
    [{ hearbeat: {} }, 'discovery.hearbeat is not an option. Did you mean "heartbeat"?'],
    [
      { heartbeat: { ttl: 'soon' } },
      "discovery.heartbeat.ttl is 'soon', not a duration. Write it like '250ms', '5s' or '1m'.",
    ],
    [
      { backend: 'zookeeper' },
      "discovery.backend is 'zookeeper'. Make it 'memory' or 'embedded' or 'consul' or",
    ],
    [
      { backend: {} },
      "discovery.backend is an object. It must be a name such as 'consul', or a backend such as consul({ … }).",
    ],
    [{ port: 70_000 }, 'discovery.port is 70000, not a port. Give a number from 1 to 65535.'],
    [{ port: '80' }, 'discovery.port is "80", not a port. Give a number from 1 to 65535.'],
    [{ weight: 0 }, 'discovery.weight is 0. Keep it between 0.01 and 100.'],
    [{ scheme: 'ftp' }, "discovery.scheme is 'ftp'. Make it 'http' or 'https'."],
    [
      { metadata: { 'team.name': 'blue' } },
      "discovery.metadata['team.name'] is no key that every registry can carry. Use letters, digits, '_' and '-', at most 128.",
    ],
    [
      { metadata: { note: 'x'.repeat(513) } },
      'discovery.metadata.note has 513 characters. A registration carries at most 512 in each value.',
    ],
    [{ metadata: { age: 7 } }, 'discovery.metadata.age is number, not a text. Write a text.'],
    [
      { metadata: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`k${n}`, ''])) },
      'discovery.metadata has 65 keys. A registration carries at most 64.',
    ],
  ])('are refused with path and remedy: %j', (options, sentence) => {
    expect(() => read(options)).toThrow(sentence);
  });
});
