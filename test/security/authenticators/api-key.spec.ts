import { describe, expect, it } from '@jest/globals';
import {
  type ApiKey,
  apiKeys,
  hashApiKey,
} from '../../../lib/security/authenticators/api-key.authenticator.js';
import { withHeaders } from '../credentials.js';

const KEY = 'a-long-and-random-key-0123456789';
const hash = hashApiKey(KEY);
const show = (key: string) => withHeaders({ 'x-api-key': key });

describe('apiKeys', () => {
  it('lets in who shows a key whose hash it has, with what that key may', () => {
    const door = apiKeys({
      keys: [{ id: 'partner', hash, scopes: ['orders:read'], tenant: 'acme' }],
    });
    expect(door.authenticate(show(KEY))).toEqual({
      subject: 'partner',
      issuer: 'api-key',
      scopes: ['orders:read'],
      roles: [],
      claims: {},
      tenant: 'acme',
    });
  });

  it.each([
    '',
    'other',
    KEY.slice(1),
    `${KEY} `,
    KEY.toUpperCase(),
    hash,
    hash.slice(7),
    'x'.repeat(10_000),
    '__proto__',
  ])('keeps out who shows %p', (key) => {
    const door = apiKeys({ keys: [{ id: 'partner', hash }] });
    expect(() => door.authenticate(show(key))).toThrow('The API key is not known.');
  });

  it('says nothing of requests without a key', () => {
    expect(apiKeys({ keys: [] }).authenticate(withHeaders({}))).toBeUndefined();
  });

  it('keeps out a key that has ended', () => {
    const door = apiKeys({ keys: [{ id: 'partner', hash, expires: '2020-01-01T00:00:00Z' }] });
    expect(() => door.authenticate(show(KEY))).toThrow("The API key 'partner' has ended.");
  });

  it('takes a new list as soon as there is one', () => {
    let keys: readonly ApiKey[] = [{ id: 'old', hash }];
    const door = apiKeys({ keys: () => keys });
    expect(door.authenticate(show(KEY))).toMatchObject({ subject: 'old' });
    const other = 'another-long-and-random-key-987';
    keys = [{ id: 'new', hash: hashApiKey(other) }];
    expect(door.authenticate(show(other))).toMatchObject({ subject: 'new' });
    expect(() => door.authenticate(show(KEY))).toThrow('not known');
  });

  it.each([
    [{ id: 'x', hash: KEY }, 'apiKeys.keys[0].hash is no hash. Write what'],
    [{ id: '', hash }, 'apiKeys.keys[0].id'],
    [{ id: 'x', hash, key: KEY }, 'apiKeys.keys[0].key is not an option'],
    [{ id: 'x', hash, expires: 'soon' }, "apiKeys.keys[0].expires is 'soon'"],
  ])('refuses %j, and never quotes a key that is long', (key, sentence) => {
    expect(() => apiKeys({ keys: [key as ApiKey] })).toThrow(sentence);
  });

  it('makes no hash of a key that could be guessed', () => {
    expect(() => hashApiKey('short')).toThrow(
      'The API key has 5 characters. Make it of 20 random ones at least.',
    );
  });
});
