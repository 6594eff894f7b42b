import { describe, expect, it } from '@jest/globals';
import { Placeholders } from '../../../lib/common/properties/placeholders.js';

const VALUES: Readonly<Record<string, unknown>> = {
  host: 'db-1',
  port: 5432,
  on: true,
  url: 'pg://${host}:${port}',
  env: 'prod',
  'db.prod': 'big',
  self: '${self}',
  ping: '${pong}',
  pong: '${ping:end}',
  empty: '',
};

/** Every key asks for the next one: k0, k1, k2 … */
const chain = (key: string) => `\${k${Number(key.slice(1)) + 1}}`;

const resolve = (value: unknown) => new Placeholders((key) => VALUES[key]).resolve(value);

describe('placeholders', () => {
  it.each([
    ['plain', 'plain'],
    [12, 12],
    ['${host}', 'db-1'],
    ['${port}', 5432],
    ['${on}', true],
    ['${port} ', '5432 '],
    ['${url}/x', 'pg://db-1:5432/x'],
    ['${db.${env}}', 'big'],
    ['${nothing:fallback}', 'fallback'],
    ['${nothing:${host}}', 'db-1'],
    ['${nothing:}', ''],
    ['${nothing:http://x:80}', 'http://x:80'],
    ['${empty:other}', ''],
    ['${nothing}', '${nothing}'],
    ['a ${nothing} b ${host}', 'a ${nothing} b db-1'],
    ['${self}', '${self}'],
    ['${ping}', 'end'],
    ['\\${host} ${host}', '${host} db-1'],
    ['${host', '${host'],
    ['${host ${port}', '${host ${port}'],
    ['}${host}{', '}db-1{'],
    ['$host {x} $', '$host {x} $'],
    ['${}', '${}'],
  ])('%j becomes %j', (text, expected) => {
    expect(resolve(text)).toBe(expected);
  });

  it('does not grow without end', () => {
    const bomb: Record<string, string> = { a0: 'x'.repeat(100) };
    for (let at = 1; at < 40; at++) bomb[`a${at}`] = `\${a${at - 1}}\${a${at - 1}}`;
    const text = new Placeholders((key) => bomb[key]).resolve('${a39}');
    expect(String(text).length).toBeLessThan(10_000_000);
  });

  it('follows a long chain and a deep nest without running out of stack', () => {
    expect(() => new Placeholders(chain).resolve('${k0}')).not.toThrow();
    expect(() => resolve(`${'${'.repeat(20_000)}x${'}'.repeat(20_000)}`)).not.toThrow();
  });
});
