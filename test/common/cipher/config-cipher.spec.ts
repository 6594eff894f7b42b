import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  type CipherOptions,
  readCipherOptions,
} from '../../../lib/common/cipher/cipher-options.js';
import { CipherError } from '../../../lib/common/cipher/cipher.errors.js';
import { ConfigCipher } from '../../../lib/common/cipher/config-cipher.js';
import { AES, RSA_KEY, RSA_SECRET, RSA_TEXT } from './vectors.js';

const cipherOf = (options: CipherOptions) =>
  new ConfigCipher(readCipherOptions(options, 'configServer.encrypt'));

const rsa = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });

const WRONG = 'The text was not encrypted with this key.';

describe('the cipher of configurations', () => {
  it('reads the AES secret of Spring’s documentation', () => {
    const cipher = cipherOf({ key: AES.key });
    expect(cipher.decrypt(AES.secret)).toBe(AES.text);
    expect(cipher.decrypt(`{cipher}${AES.secret}`)).toBe(AES.text);
  });

  it('reads the RSA secret of Spring’s test suite by its alias', () => {
    expect(cipherOf({ keys: { mytestkey: RSA_KEY } }).decrypt(RSA_SECRET)).toBe(RSA_TEXT);
    const oneLine = RSA_KEY.replaceAll('\n', String.raw`\n`);
    expect(cipherOf({ keys: { mytestkey: oneLine } }).decrypt(RSA_SECRET)).toBe(RSA_TEXT);
  });

  it.each<[string, CipherOptions]>([
    ['AES', { key: 'a password' }],
    ['AES with a salt', { key: 'a password', salt: 'c0ffee00' }],
    ['RSA', { key: RSA_KEY }],
    ['RSA with OAEP', { key: RSA_KEY, rsa: { algorithm: 'oaep' } }],
    ['RSA with GCM', { key: RSA_KEY, rsa: { strong: true, salt: 'c0ffee' } }],
  ])('gives back what it encrypted with %s, and never the same secret twice', (_name, options) => {
    const cipher = cipherOf(options);
    for (const text of ['', 'x', 'mysecret', 'ö€\u0000😀', 'a'.repeat(10_000), '\uFEFFmark']) {
      const secret = cipher.encrypt(`{plain}${text}`);
      expect(cipherOf(options).decrypt(secret)).toBe(text);
      expect(cipher.encrypt(`{plain}${text}`)).not.toBe(secret);
      expect(secret).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
    }
  });

  it('names the key in a secret, so that keys can be rotated', () => {
    const before = cipherOf({ defaultKey: '2025', keys: { '2025': 'old password' } });
    const secret = before.encrypt('hunter2');
    expect(secret).toMatch(/^\{key:2025\}[0-9a-f]+$/);
    const keys = { '2025': 'old password', '2026': RSA_KEY };
    const after = cipherOf({ defaultKey: '2026', keys });
    expect(after.decrypt(secret)).toBe('hunter2');
    expect(after.encrypt('hunter2')).toMatch(/^\{key:2026\}/);
    expect(after.encrypt('{key:2025}hunter2')).toMatch(/^\{key:2025\}[0-9a-f]+$/);
    expect(after.decrypt(after.encrypt('{key:2025}hunter2'))).toBe('hunter2');
    const gone = cipherOf({ defaultKey: '2026', keys: { '2026': RSA_KEY } });
    expect(() => gone.decrypt(secret)).toThrow('There is no key "2025". Add it to "keys".');
    expect(() => cipherOf({ keys }).encrypt('x')).toThrow('There is no key for values that name');
  });

  it('keeps text that only looks like a prefix', () => {
    const cipher = cipherOf({ key: 'a password' });
    for (const text of ['textwith}brace', '{brace', '{a}', '{a:b', '{}', '{:}x']) {
      expect(cipher.decrypt(cipher.encrypt(text))).toBe(text);
    }
    expect(cipher.decrypt(cipher.encrypt('{plain}{key:none}x'))).toBe('{key:none}x');
  });

  it('gives out the public key of RSA and no other, and encrypts with it alone', () => {
    const { publicKey, privateKey } = rsa();
    const keys = { pub: publicKey, priv: privateKey, word: 'a password' };
    const cipher = cipherOf({ keys });
    expect(cipher.publicKey('pub')).toMatch(/^ssh-rsa [A-Za-z0-9+/=]+ application$/);
    expect(cipher.publicKey('priv')).toBe(cipher.publicKey('pub'));
    expect(cipher.publicKey('word')).toBeUndefined();
    const [, secret = ''] = /^\{key:pub\}(.*)$/.exec(cipher.encrypt('{key:pub}x')) ?? [];
    expect(() => cipher.decrypt(`{key:pub}${secret}`)).toThrow('Only the public key is here');
    expect(cipher.decrypt(`{key:priv}${secret}`)).toBe('x');
    expect(cipherOf({ key: publicKey }).canDecrypt).toBe(false);
    expect(cipherOf({ key: privateKey }).canDecrypt).toBe(true);
  });

  it.each<[string, CipherOptions]>([
    ['AES', { key: 'a password' }],
    ['RSA', { key: RSA_KEY }],
    ['RSA with OAEP', { key: RSA_KEY, rsa: { algorithm: 'oaep', strong: true } }],
  ])('answers every text that was not encrypted with its key of %s alike', (_name, options) => {
    const cipher = cipherOf(options);
    const { privateKey } = rsa();
    const other = cipherOf(
      options.key === RSA_KEY ? { ...options, key: privateKey } : { key: 'b' },
    );
    const secret = cipher.encrypt('hunter2');
    const wrong = [
      other.encrypt('{plain}hunter2'),
      '',
      'x',
      'é',
      '00',
      'AAAA',
      'AQA=',
      secret.slice(0, 10),
      secret.slice(0, -4),
      `${secret} trailing`,
      'ff'.repeat(500),
      Buffer.alloc(300, 1).toString('base64'),
      cipherOf({ key: 'zzz' }).encrypt('x'),
    ];
    for (const text of wrong) {
      expect(() => cipher.decrypt(text)).toThrow(CipherError);
      expect(() => cipher.decrypt(text)).toThrow(WRONG);
    }
  });

  it('never fails otherwise, whatever it is given', () => {
    const cipher = cipherOf({ key: RSA_KEY, keys: { a: 'a password' } });
    const text = fc.oneof(
      fc.string(),
      fc.base64String({ maxLength: 900 }),
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    );
    fc.assert(
      fc.property(text, fc.constantFrom('', '{key:a}', '{key:b}', '{cipher}'), (said, prefix) => {
        try {
          cipher.decrypt(prefix + said);
        } catch (error) {
          expect(error).toBeInstanceOf(CipherError);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the options of the cipher', () => {
  it.each<[CipherOptions, string]>([
    [{}, 'configServer.encrypt has no key. Set configServer.encrypt.key'],
    [
      { key: '' },
      'configServer.encrypt.key is not a text. Give it a password, or an RSA key in PEM.',
    ],
    [
      { key: RSA_KEY.replace('MIIE', 'XXXX') },
      'configServer.encrypt.key is no RSA key that can be read.',
    ],
    [{ keys: { 'a b': 'x' } }, "configServer.encrypt.keys has 'a b'."],
    [
      { defaultKey: 'b', keys: { a: 'x' } },
      "configServer.encrypt.defaultKey is 'b'. Known keys: a.",
    ],
    [
      { key: 'x', defaultKey: 'a', keys: { a: 'x' } },
      'configServer.encrypt.defaultKey stands beside',
    ],
    [
      { key: 'x', salt: 'xyz' },
      "configServer.encrypt.salt is 'xyz'. Write pairs of hexadecimal digits",
    ],
  ])('refuse %#, without repeating a key', (options, sentence) => {
    expect(() => cipherOf(options)).toThrow(sentence);
    if (options.key)
      expect(() => cipherOf(options)).not.toThrow(options.key.slice(40, 60) || 'nothing');
  });
});
