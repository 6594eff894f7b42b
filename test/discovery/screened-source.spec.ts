import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventHub } from '../../lib/common/event-hub.js';
import { AddressRules } from '../../lib/discovery/address-rules.js';
import {
  readDiscoveryOptions,
  type DiscoveryOptions,
} from '../../lib/discovery/discovery.options.js';
import { RegistrationSigner } from '../../lib/discovery/registration-signature.js';
import { ScreenedSource } from '../../lib/discovery/screened-source.js';
import type { ServiceInstance } from '../../lib/discovery/service-instance.js';
import { listenToLog } from './support/application.js';
import { ControlledBackend, instance } from './support/controlled-backend.js';

const SECRET = 'a secret that is long enough to be one';
const { signal } = new AbortController();

describe('the addresses that are called', () => {
  it.each([
    '169.254.169.254',
    '169.254.0.1',
    '::ffff:169.254.169.254',
    '[::ffff:a9fe:a9fe]',
    '2852039166',
    '0xa9fea9fe',
    '0251.0376.0251.0376',
    'fe80::1',
    'fd00:ec2::254',
    '100.100.100.200',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    '255.255.255.255',
    'metadata.google.internal',
    'METADATA.google.internal.',
    'a name with spaces',
    'user@host',
    'host/path',
  ])('are never %s', (host) => {
    expect(new AddressRules({}).problemOf(instance({ host }))).toBeDefined();
  });

  it.each([
    '10.0.0.7',
    '127.0.0.1',
    'localhost',
    '::1',
    'fd00::7',
    'orders.shop.internal',
    'pod_1',
  ])('can be %s', (host) =>
    expect(new AddressRules({}).problemOf(instance({ host }))).toBeUndefined(),
  );

  it('are inside of the networks and ports that are allowed, and no names then', () => {
    const rules = new AddressRules({
      networks: ['10.0.0.0/8', 'fd00::/8'],
      ports: [80, '3000-3999'],
    });
    const problem = (fields: Partial<ServiceInstance>) => rules.problemOf(instance(fields));
    expect(problem({ host: '10.9.9.9', port: 3_001 })).toBeUndefined();
    expect(problem({ host: 'fd00::9', port: 80 })).toBeUndefined();
    expect(problem({ host: '11.0.0.1' })).toMatch('outside of discovery.allow.networks');
    expect(problem({ host: 'orders.internal' })).toMatch('is a name');
    expect(problem({ host: '10.0.0.1', port: 22 })).toBe(
      'port 22 is outside of discovery.allow.ports',
    );
    expect(problem({ host: '10.0.0.1', ports: { admin: 9_000 } })).toMatch('port 9000');
  });

  it.each([
    [{ networks: ['10.0.0.0/33'] }, "discovery.allow.networks[0] is '10.0.0.0/33'"],
    [{ networks: ['ten'] }, 'discovery.allow.networks[0]'],
    [{ ports: ['9-1'] }, "discovery.allow.ports[0] is '9-1'"],
    [{ ports: [70_000] }, 'discovery.allow.ports[0]'],
  ])('cannot be %j', (options, sentence) => {
    expect(() => new AddressRules(options)).toThrow(sentence);
  });
});

describe('the screened source', () => {
  let backend: ControlledBackend;
  let refused: string[];
  let log: ReturnType<typeof listenToLog>;
  beforeEach(() => {
    backend = new ControlledBackend();
    refused = [];
    log = listenToLog();
  });
  afterEach(() => log.stop());

  function screen(options: DiscoveryOptions = {}) {
    const events = new EventHub();
    events.on('instance.refused', ({ instance: { id }, reason }) =>
      refused.push(`${id}: ${reason}`),
    );
    return new ScreenedSource(backend, readDiscoveryOptions(options, {}), events);
  }

  async function shown(source: ScreenedSource, ...instances: readonly ServiceInstance[]) {
    backend.show('orders', ...instances);
    for await (const passed of source.instances('orders', signal))
      return passed.map(({ id }) => id);
    return [];
  }

  it('leaves out what must not be called, tells it once, and shows it to who asks', async () => {
    const source = screen();
    const rogue = instance({ id: 'rogue', host: '169.254.169.254' });
    expect(await shown(source, instance({ id: 'fine' }), rogue)).toEqual(['fine']);
    await shown(source, instance({ id: 'fine' }), { ...rogue });
    expect(refused).toEqual(['rogue: 169.254.169.254 is never called']);
    expect(log.lines).toHaveLength(1);
    expect(source.refused).toEqual([
      { instance: rogue, reason: '169.254.169.254 is never called' },
    ]);
    await shown(source, instance({ id: 'fine' }));
    expect(source.refused).toEqual([]);
  });

  it('judges what has changed in a list, and what is new in it, though the rest has passed before', async () => {
    const source = screen();
    const [one, two, three] = ['one', 'two', 'three'].map((id) => instance({ id }));
    const lists = [
      [one!, two!, three!],
      [one!, { ...two!, host: '169.254.169.254' }, three!],
      [three!, one!, { ...two!, status: 'down' as const }],
    ];
    const seen: string[][] = [];
    backend.show('orders', ...lists.shift()!);
    for await (const passed of source.instances('orders', signal)) {
      seen.push(passed.map(({ id }) => id));
      const next = lists.shift();
      if (!next) break;
      backend.show('orders', ...next);
    }
    expect(seen).toEqual([
      ['one', 'two', 'three'],
      ['one', 'three'],
      ['three', 'one', 'two'],
    ]);
    expect(refused).toEqual(['two: 169.254.169.254 is never called']);
  });

  it('leaves out instances of another service, and names that are no names', async () => {
    const source = screen();
    expect(await shown(source, instance({ service: 'payments' }))).toEqual([]);
    backend.source.list.push({ snapshot: ['orders', 'Not A Name', '../etc'] });
    for await (const names of source.services(signal)) {
      expect(names).toEqual(['orders']);
      break;
    }
  });

  it.each(['a secret', 'an Ed25519 key'])(
    'believes who is signed with %s, and nobody else',
    async (kind) => {
      const pair = generateKeyPairSync('ed25519');
      const pem = { type: 'spki', format: 'pem' } as const;
      const [own, key] =
        kind === 'a secret'
          ? [SECRET, SECRET]
          : [
              pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
              pair.publicKey.export(pem).toString(),
            ];
      const source = screen({ trust: [{ key }] });
      const signed = new RegistrationSigner(own).sign(
        instance({ id: 'signed', ports: { tcp: 1 } }),
      );
      const foreign = new RegistrationSigner(`${SECRET} of somebody else`).sign(
        instance({ id: 'x' }),
      );
      const moved = { ...signed, id: 'signed', host: '10.6.6.6' };
      expect(await shown(source, signed, foreign, instance({ id: 'bare' }))).toEqual(['signed']);
      expect(await shown(source, moved)).toEqual([]);
      expect(await shown(source, { ...signed, port: 1 })).toEqual([]);
      expect(await shown(source, { ...signed, ports: {} })).toEqual([]);
      expect(refused).toContain('bare: it is not signed');
      // What may change while it lives is not signed.
      expect(await shown(source, { ...signed, status: 'degraded', tags: ['new'] })).toEqual([
        'signed',
      ]);
    },
  );

  it('lets a key sign for its own services only', async () => {
    const source = screen({ trust: [{ key: SECRET, services: ['payments'] }] });
    const signed = new RegistrationSigner(SECRET).sign(instance({ id: 'signed' }));
    expect(await shown(source, signed)).toEqual([]);
  });

  it('refuses keys that are none', () => {
    expect(() => screen({ trust: [{ key: 'short' }] })).toThrow(
      'discovery.trust[0].key is a secret of fewer',
    );
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const rsa = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(() => new RegistrationSigner(rsa)).toThrow('is a key of rsa');
  });
});
