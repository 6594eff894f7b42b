import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { embedded } from '../../../lib/discovery/backends/embedded.backend.js';
import { PROTOCOL } from '../../../lib/discovery/backends/embedded-protocol.js';
import type { DiscoveryBackend } from '../../../lib/discovery/discovery-backend.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { freePort, makeContext, makeInstance, readFirst } from './support/backend-fixtures.js';
import { eventually } from '../../support/eventually.js';

const { signal } = new AbortController();
const HELLO = {
  op: 'hello',
  protocol: PROTOCOL,
  namespace: 'default',
  returning: false,
  ttl: 3_000,
  nonce: 'n',
};

function put(fields: object): object {
  return { op: 'put', id: 1, instance: { ...makeInstance(), ...fields } };
}

describe('the holder, talked to by strangers', () => {
  let port: number;
  let holder: DiscoveryBackend;
  let clock: FakeClock;

  beforeEach(async () => {
    port = await freePort();
    clock = new FakeClock();
    holder = embedded({ port })(makeContext({ clock }));
    await holder.registry?.register(makeInstance(), signal);
  });
  afterEach(() => holder.close?.());

  /** Sends texts, and reads what comes until the holder hangs up. */
  async function say(...texts: (string | object)[]): Promise<string> {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    let heard = '';
    socket.on('data', (chunk: string) => (heard += chunk));
    socket.on('error', () => {});
    for (const text of texts)
      socket.write(typeof text === 'string' ? text : `${JSON.stringify(text)}\n`);
    await once(socket, 'close');
    return heard;
  }

  const known = () => readFirst(holder.source.instances('orders', signal));

  it.each<[string, (string | object)[], RegExp]>([
    ['a browser', ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'], /not JSON/],
    ['an empty line', ['\n'], /not JSON/],
    ['bytes', ['\u0000\u0001\ufffd\n'], /not JSON/],
    ['a list', ['[1]\n'], /no object/],
    ['null', ['null\n'], /no object/],
    ['an unknown operation', [{ op: '__proto__' }], /unknown operation/],
    ['another version', [{ ...HELLO, protocol: 99 }], /speaks protocol 1, not 99/],
    ['a greeting without a namespace', [{ ...HELLO, namespace: '' }], /bad \\"namespace\\"/],
    ['a greeting without a time to live', [{ ...HELLO, ttl: 0 }], /bad \\"ttl\\"/],
    ['work before the greeting', [put({})], /out of turn/],
    ['a proof nobody asked for', [HELLO, { op: 'proof', proof: 'p' }], /out of turn/],
    ['two greetings', [HELLO, HELLO], /out of turn/],
    ['a port out of range', [HELLO, put({ port: 70_000 })], /bad \\"port\\"/],
    ['a text for a port', [HELLO, put({ ports: { tcp: '1' } })], /bad \\"port\\"/],
    ['a service that is no name', [HELLO, put({ service: '../etc' })], /bad \\"service\\"/],
    ['an unknown scheme', [HELLO, put({ scheme: 'file' })], /bad \\"scheme\\"/],
    ['an unknown status', [HELLO, put({ status: 'great' })], /bad \\"status\\"/],
    ['a weight below nothing', [HELLO, put({ weight: -1 })], /bad \\"weight\\"/],
    ['metadata that is no text', [HELLO, put({ metadata: { a: {} } })], /no text/],
    ['tags that are no list', [HELLO, put({ tags: 'a' })], /bad \\"tags\\"/],
    ['an id that is no number', [HELLO, { op: 'watch', id: 'x' }], /bad \\"id\\"/],
  ])('hangs up on %s, and says why', async (_, texts, reason) => {
    expect(await say(...texts)).toMatch(reason);
    expect(await known()).toEqual([makeInstance()]);
  });

  it('hangs up on a line without an end', async () => {
    expect(await say('x'.repeat(1_048_577))).toBe('');
    expect(await readFirst(holder.source.services(signal))).toEqual(['orders']);
  });

  it('hangs up on who does not greet', async () => {
    const silent = say();
    await eventually(() => expect(clock.waiting).toBe(1));
    await clock.advance(2_000);
    expect(await silent).toMatch(/no handshake came/);
  });

  it('keeps nothing of a stranger who is gone', async () => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    socket.write(`${JSON.stringify(HELLO)}\n${JSON.stringify(put({ id: 'strange' }))}\n`);
    await eventually(async () => expect(await known()).toHaveLength(2));
    socket.resetAndDestroy();
    await eventually(async () => expect(await known()).toHaveLength(1));
  });

  it('does not let a stranger take out what is not its own', async () => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    const lines: string[] = [];
    socket.on('data', (chunk: string) => lines.push(chunk));
    socket.write(`${JSON.stringify(HELLO)}\n{"op":"delete","id":1,"instance":"orders-1"}\n`);
    await eventually(() => expect(lines.join('')).toContain('done'));
    expect(await known()).toEqual([makeInstance()]);
    socket.destroy();
  });

  it('reads fields of an instance that it knows, and no others', async () => {
    const socket = connect(port, '127.0.0.1');
    const instance = JSON.stringify({ ...makeInstance({ id: 'odd' }), extra: 1 });
    const polluted = instance.replace('"metadata":{}', '"metadata":{"__proto__":"x"}');
    socket.write(`${JSON.stringify(HELLO)}\n{"op":"put","id":1,"instance":${polluted}}\n`);
    await eventually(async () => {
      const odd = (await known()).find(({ id }) => id === 'odd');
      expect(odd).not.toHaveProperty('extra');
      expect(Object.keys(odd?.metadata ?? {})).toEqual(['__proto__']);
    });
    socket.destroy();
  });
});

describe('a member, answered by a stranger', () => {
  let server: Server;
  let sockets: Socket[];
  let answer: (socket: Socket, heard: string) => void;
  let member: DiscoveryBackend;
  let clock: FakeClock;

  beforeEach(async () => {
    sockets = [];
    clock = new FakeClock();
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {}).on('data', (data) => answer(socket, data.toString()));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    member = embedded({ port })(makeContext({ clock }));
  });
  afterEach(async () => {
    await member.close?.();
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  const failure = () =>
    readFirst(member.source.instances('orders', signal)).catch((error: unknown) => error as Error);

  it('says that another program has the port', async () => {
    answer = (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(await failure()).toMatchObject({
      code: 'ERR_BACKEND_REFUSED',
      message: expect.stringMatching(/Another program has the port: give embedded\({ port }\)/),
    });
  });

  it('gives up on one that says nothing', async () => {
    answer = () => {};
    let error: unknown;
    void failure().then((failed) => (error = failed));
    await eventually(() => expect(sockets).toHaveLength(1));
    await clock.advance(2_000);
    await eventually(async () => {
      await clock.advance(50);
      expect(error).toMatchObject({ code: 'ERR_BACKEND_UNAVAILABLE' });
    });
    expect((error as Error).message).toContain('Another program may have the port');
  });

  it('gives up on one that hangs up every time', async () => {
    answer = (socket) => socket.destroy();
    let error: unknown;
    void failure().then((failed) => (error = failed));
    await eventually(async () => {
      await clock.advance(50);
      expect(error).toMatchObject({ code: 'ERR_BACKEND_UNAVAILABLE' });
    });
  });

  it.each([
    ['nonsense', 'nonsense\n'],
    ['a bad instance', '{"op":"instances","id":1,"instances":[{"id":"x"}]}\n'],
    ['a greeting again', '{"op":"welcome","protocol":1}\n'],
    ['a refusal', '{"op":"refused","reason":"enough"}\n'],
    ['a line without an end', 'x'.repeat(16 * 1_048_576 + 1)],
  ])('breaks its streams at %s after the greeting', async (_, line) => {
    answer = (socket, heard) => {
      if (heard.includes('hello')) socket.write('{"op":"welcome","protocol":1}\n');
      if (heard.includes('watch')) socket.write(line);
    };
    expect(await failure()).toMatchObject({ code: 'ERR_BACKEND_UNAVAILABLE' });
  });

  it('gives up on a holder that no longer answers', async () => {
    answer = (socket, heard) => {
      if (heard.includes('hello')) socket.write('{"op":"welcome","protocol":1}\n');
    };
    let error: unknown;
    void member.registry
      ?.register(makeInstance(), signal)
      .catch((failed: unknown) => (error = failed));
    await eventually(() => expect(clock.waiting).toBe(1));
    await clock.advance(5_000);
    await eventually(() => expect(error).toMatchObject({ code: 'ERR_BACKEND_UNAVAILABLE' }));
    expect((error as Error).message).toContain('no answer within 5000 ms');
  });

  it('drops what is the own of a holder that answers no more, and only that', async () => {
    const instances = [makeInstance(), makeInstance({ id: 'orders-2' })];
    answer = (socket, heard) => {
      if (heard.includes('hello')) socket.write('{"op":"welcome","protocol":1}\n');
      const id = /"op":"watch","id":(\d+)/.exec(heard)?.[1];
      if (id === undefined) return;
      const shown = { op: 'instances', id: Number(id), instances, own: ['orders-1'] };
      socket.write(`${JSON.stringify(shown)}\n`);
    };
    const seen: string[][] = [];
    const reading = (async () => {
      for await (const all of member.source.instances('orders', signal))
        seen.push(all.map(({ id }) => id));
    })();
    const broken = reading.catch((error: unknown) => error);
    await eventually(() => expect(seen).toHaveLength(1));
    void member.registry?.register(makeInstance({ id: 'new' }), signal).catch(() => {});
    await eventually(() => expect(clock.waiting).toBe(1));
    await clock.advance(5_000);
    expect(await broken).toMatchObject({ code: 'ERR_BACKEND_UNAVAILABLE' });
    expect(seen).toEqual([['orders-1', 'orders-2'], ['orders-2']]);
  });

  it('takes a registration back that was given up half way', async () => {
    const heard: string[] = [];
    answer = (socket, text) => {
      heard.push(text);
      if (text.includes('hello')) socket.write('{"op":"welcome","protocol":1}\n');
    };
    const controller = new AbortController();
    const registering = member.registry?.register(makeInstance(), controller.signal);
    await eventually(() => expect(heard.join('')).toContain('put'));
    controller.abort(new Error('given up'));
    await expect(registering).rejects.toThrow('given up');
    await eventually(() => expect(heard.join('')).toContain('"op":"delete"'));
  });
});
