import { type INestApplicationContext, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import { ConfigContributor } from '../../lib/config-client/config-client.contributor.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import { msSince } from '../support/cpu-time.js';
import { eventually } from '../support/eventually.js';
import { answering, type Script, ScriptedServer } from './scripted-server.js';

const GOOD = { max: 1 };
/** With these the client asks again at once, and lets the server hold the question. */
const HELD = { 'content-type': 'application/json', etag: '"evil"', 'x-config-wait': '30s' };
const json = (body: unknown) => typed(JSON.stringify(body));
const typed =
  (body: string | Buffer, headers: Record<string, string> = {}): Script =>
  (_request, response) => {
    response.writeHead(200, { ...HELD, ...headers });
    response.end(body);
  };
const environment = (source: unknown) =>
  typed(
    `{"name":"orders","version":"9","propertySources":[{"name":"x","source":${String(source)}}]}`,
  );

/** Answers of a server that is broken, or not ours. */
const BROKEN: readonly (readonly [string, Script])[] = [
  ['HTML', typed('<html>hunter22</html>')],
  ['nothing', typed('')],
  ['half of it', typed('{"name":"orders","propertySources":[{"name":"x","sou')],
  ['null', json(null)],
  ['a number', json(3)],
  ['a list', json([])],
  ['no property sources', json({})],
  ['property sources that are an object', json({ propertySources: {} })],
  ['a source without a name', json({ propertySources: [{ source: {} }] })],
  ['a source that is null', json({ propertySources: [null] })],
  ['a source of a list', json({ propertySources: [{ name: 'x', source: [] }] })],
  ['broken UTF-8', typed(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))],
  [
    'nine megabytes',
    typed(`{"propertySources":[{"name":"x","source":{"a":"${'x'.repeat(9 * 1024 * 1024)}"}}]}`),
  ],
  [
    'fewer bytes than it said',
    (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"propertySources":[');
      setImmediate(() => response.destroy());
    },
  ],
  [
    'a chunked answer cut off',
    (_request, response) => {
      response.write('{"propertySources":[]');
      setImmediate(() => response.destroy());
    },
  ],
  [
    'no HTTP',
    (request, response) => {
      request.socket.write('SSH-2.0-OpenSSH\r\n');
      request.socket.end();
      response.destroy();
    },
  ],
  ['a closed connection', (request) => request.socket.destroy()],
  ...[201, 204, 206, 301, 302, 307, 400, 401, 403, 404, 405, 409, 418, 429, 500, 502, 503, 504].map(
    (status): readonly [string, Script] => [
      `status ${status}`,
      (_request, response) => {
        response.writeHead(status, { location: 'http://127.0.0.1:1/' });
        response.end(
          status === 204
            ? undefined
            : JSON.stringify({ propertySources: [{ name: 'x', source: { max: 666 } }] }),
        );
      },
    ],
  ),
];

/** Answers that are well-formed, and evil. */
const EVIL: readonly (readonly [string, Script])[] = [
  ...[
    '__proto__.polluted',
    'constructor.prototype.polluted',
    'a.__proto__.polluted',
    'a[__proto__].polluted',
    '[__proto__].polluted',
    'prototype.polluted',
    'a.constructor.prototype.polluted',
    'a[0].__proto__.polluted',
  ].map((key): readonly [string, Script] => [key, environment(`{"max":1,"${key}":"yes"}`)]),
  ['a raw __proto__', environment('{"max":1,"__proto__":{"polluted":"yes"}}')],
  ['a raw __proto__ inside', environment('{"max":1,"a":{"__proto__":{"polluted":"yes"}}}')],
  ['toString', environment('{"max":1,"toString":"x","valueOf":"x","hasOwnProperty":"x"}')],
  ['a list of a billion', environment('{"max":1,"a[999999999]":1,"b[9999]":1}')],
  ['a thousand steps', environment(`{"max":1,"${'a.'.repeat(1_000)}a":1}`)],
  ['a thousand levels', environment(`{"max":1,"a":${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}}`)],
  ['ten thousand brackets', environment(`{"max":1,"${'['.repeat(10_000)}":1}`)],
  ['an empty key', environment('{"max":1,"":1,".":1,"..":1,"[":1,"]":1,"a..b":1}')],
  [
    'placeholders that laugh',
    environment(
      `{"max":1,"a0":"ha","${Array.from({ length: 20 }, (_, at) => `a${at + 1}":"${`\${a${at}}`.repeat(10)}`).join('","')}"}`,
    ),
  ],
  ['placeholders without an end', environment(`{"max":1,"a":"${'${'.repeat(5_000)}"}`)],
  [
    'placeholders within placeholders',
    environment(`{"max":1,"a":"${'${a:'.repeat(500)}x${'}'.repeat(500)}"}`),
  ],
  [
    'control characters',
    environment(String.raw`{"max":1,"a\u0000b":"\u0000\u001b[31m","\n":"\r\n"}`),
  ],
  ['lone surrogates', environment(String.raw`{"max":1,"\ud800":"\udfff"}`)],
  [
    'a version that is an object',
    json({ version: { a: 1 }, propertySources: [{ name: 'x', source: GOOD }] }),
  ],
  [
    'a version that is a header',
    json({ version: 'a\r\nx: y', propertySources: [{ name: 'x', source: GOOD }] }),
  ],
  [
    'a state that is a header',
    json({ state: 'a\r\nx: y', propertySources: [{ name: 'x', source: GOOD }] }),
  ],
  [
    'an endless wait',
    typed(JSON.stringify({ propertySources: [{ name: 'x', source: GOOD }] }), {
      etag: '"1"',
      'x-config-wait': '9999s',
    }),
  ],
  [
    'twenty thousand sources',
    json({
      propertySources: Array.from({ length: 20_000 }, (_, at) => ({
        name: `x${at}`,
        source: {},
      })).concat({ name: 'y', source: GOOD } as never),
    }),
  ],
];

/** The question that the server holds, as ours does until something changes. */
let held: Parameters<Script> | undefined;

const well: Script = (request, response) => {
  if (request.headers['if-none-match'] === '"good"') held = [request, response];
  else answering(GOOD, { headers: { etag: '"good"', 'x-config-wait': '30s' } })(request, response);
};

const server = new ScriptedServer(well);
let app: INestApplicationContext;
const logged: string[] = [];

beforeAll(async () => {
  for (const level of ['log', 'warn', 'error'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation((message) => {
      logged.push(String(message));
    });
  }
  await server.start();
  app = await Test.createTestingModule({
    imports: [
      ConfigClientModule.forRoot({
        name: 'orders',
        profiles: ['prod'],
        url: server.url,
        retry: { most: '50ms' },
      }),
    ],
  }).compile();
  await app.init();
});

afterAll(async () => {
  await app.close();
  await server.stop();
  jest.restoreAllMocks();
});

/** Answers the held question, and all that follow, in another way. */
async function play(script: Script): Promise<void> {
  await eventually(() => expect(held).toBeDefined());
  const [request, response] = held as Parameters<Script>;
  held = undefined;
  server.script = script;
  script(request, response);
}

/** The server is well again, and the client hangs in its long poll as before. */
async function recover(limit = 2_000): Promise<void> {
  server.script = well;
  await eventually(() => expect(held).toBeDefined(), limit);
  expect(app.get(ConfigContributor).check().status).toBe('up');
  expect(app.get(ConfigClient).snapshot()).toEqual(GOOD);
}

describe('a config server that answers', () => {
  it.each(BROKEN)(
    '%s changes nothing, is seen in the health, and a good answer counts in under two seconds',
    async (_name, script) => {
      const config = app.get(ConfigClient);
      const health = app.get(ConfigContributor);
      await play(script);
      await eventually(() => expect(health.check().status).toBe('degraded'));
      expect(config.snapshot()).toEqual(GOOD);
      expect(JSON.stringify(health.check())).not.toContain('hunter22');
      await recover();
    },
  );

  it.each(EVIL)(
    '%s pollutes nothing and costs little',
    async (_name, script) => {
      const config = app.get(ConfigClient);
      const before = process.cpuUsage();
      const asked = server.requests.length;
      await play(script);
      // The evil answer was read, and the client has asked once more.
      await eventually(() => expect(server.requests.length).toBeGreaterThan(asked));
      await recover(10_000);
      expect(msSince(before)).toBeLessThan(5_000);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      expect(config.get('polluted')).toBeUndefined();
      expect(config.get('__proto__')).toBeUndefined();
      expect(config.get('constructor')).toBeUndefined();
    },
    20_000,
  );

  it('has told nobody what it answered', () => {
    expect(logged.join('\n')).not.toContain('hunter22');
  });
});
