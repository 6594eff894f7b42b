import { describe, expect, it } from '@jest/globals';
import { array, assert, constant, constantFrom, oneof, property } from 'fast-check';
import { dataFields } from '../../lib/telemetry/log-fields.js';
import { Redaction, withoutSecrets } from '../../lib/telemetry/redaction.js';

const SECRET = 'hunter2';

/** How long it takes, in µs of the processor. */
function took(text: string): number {
  const began = process.cpuUsage();
  withoutSecrets(text);
  const { user, system } = process.cpuUsage(began);
  return user + system;
}

describe('a text', () => {
  it.each([
    ['postgres://shop:hunter2@db/shop', 'postgres://[hidden]@db/shop'],
    ['postgres://hunter2@db/shop', 'postgres://[hidden]@db/shop'],
    ['https://ci:hunter2/+==@build/1', 'https://[hidden]@build/1'],
    ['GET /x?token=hunter2&page=2', 'GET /x?token=[hidden]&page=2'],
    ['{"password":"hunter2","id":7}', '{"password":"[hidden]","id":7}'],
    ["apiKey: 'hunter2'", "apiKey: '[hidden]'"],
    ['db_passwd = hunter2;', 'db_passwd = [hidden];'],
    ['Authorization: Bearer hunter2hunter2', 'Authorization: Bearer [hidden]'],
    ['Basic aHVudGVyMjpodW50ZXIy', 'Basic [hidden]'],
  ])('is shown without its secret: %s', (text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
  });

  it.each([
    'GET https://shop.example:8080/orders/7?page=2 answered 200',
    'http://127.0.0.1:3000/a@b was not found',
    'mail to shop@example.com about http://shop.example/x',
    'the bearer of news',
    'the token was refused',
  ])('stays as it is when it has none: %s', (text) => {
    expect(withoutSecrets(text)).toBe(text);
  });

  it('is looked through in a time that grows with its length alone', () => {
    for (const part of ['a://', 'a://b:', 'password', 'token="', 'bearer ', '://:'])
      expect(took(part.repeat(20_000))).toBeLessThan(1_000_000);
  });
});

describe('a value', () => {
  it('shows of headers and bodies what is on the lists, and nothing else', () => {
    const redaction = new Redaction(['Accept'], ['id']);
    const given = {
      headers: { accept: '*/*', cookie: SECRET, 'x-new': SECRET },
      rawHeaders: ['cookie', SECRET],
      body: { id: 7, card: SECRET, nested: { id: SECRET } },
      payload: SECRET,
    };
    expect(dataFields(given, redaction)).toEqual({
      headers: { accept: '*/*', cookie: '[hidden]', 'x-new': '[hidden]' },
      rawHeaders: '[hidden]',
      body: { id: 7, card: '[hidden]', nested: '[hidden]' },
      payload: '[hidden]',
    });
  });

  it('never shows what is secret by its name, however the name is written and wherever it stands', () => {
    const names = ['password', 'DB_PASSWORD', 'api-key', 'apiKey', 'x-api-key', 'sessionId', 'jwt'];
    const others = ['clientSecret', 'refresh_token', 'Set-Cookie', 'privateKey', 'credentials'];
    assert(
      property(
        constantFrom(...names, ...others),
        array(constantFrom('order', 'items', 'meta'), { maxLength: 3 }),
        oneof(constant<unknown>(SECRET), constant<unknown>([SECRET])),
        (name, path, value) => {
          const data = path.reduce<unknown>((inner, key) => ({ [key]: inner }), { [name]: value });
          expect(JSON.stringify(dataFields(data))).not.toContain(SECRET);
        },
      ),
    );
  });
});
