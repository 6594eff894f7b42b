import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AnswerTooLargeError,
  CallCancelledError,
  InvalidRequestError,
  UpstreamConnectionError,
  UpstreamTimeoutError,
} from '../../lib/upstream/upstream.errors.js';
import type { UpstreamRequest } from '../../lib/upstream/request/upstream-request.js';
import { eventually } from '../support/eventually.js';
import { UpstreamFixture } from './upstream-fixture.js';

const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function reach(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const fixture = new UpstreamFixture([port]);
  opened.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => server.closeAllConnections(),
    () => fixture.close(),
  );
  return { server, fixture, upstream: fixture.upstream, port };
}

/** Answers with what came. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method, url, headers } = request;
    const body = Buffer.concat(chunks).toString();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method, url, headers, body }));
  });
}

describe('Upstream.request', () => {
  it('resolves with the head, and reads the body as JSON, text or bytes', async () => {
    const { upstream } = await reach(echo);
    const answer = await upstream.request({ path: '/a?b=c', headers: { 'x-a': ['1', '2'] } });
    expect(answer).toMatchObject({ status: 200, ok: true });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(await answer.json()).toMatchObject({
      method: 'GET',
      url: '/a?b=c',
      headers: { 'x-a': '1, 2' },
    });
    expect(await (await upstream.request({ path: '/' })).text()).toContain('"url":"/"');
    expect(await (await upstream.request({ path: '/' })).bytes()).toBeInstanceOf(Buffer);
  });

  it.each<[string, NonNullable<UpstreamRequest['body']>, string]>([
    ['text', 'grün', 'grün'],
    ['bytes', Buffer.from('abc'), 'abc'],
    ['a view of bytes', new Uint8Array(Buffer.from('xabcx')).subarray(1, 4), 'abc'],
    ['nothing', '', ''],
    ['a stream', Readable.from([Buffer.from('ab'), Buffer.alloc(0), 'c']), 'abc'],
  ])('sends %s', async (_name, body, expected) => {
    const { upstream, fixture } = await reach(echo);
    const answer = await upstream.request({ method: 'POST', path: '/', body });
    expect(await answer.json()).toMatchObject({ method: 'POST', body: expected });
    expect(fixture.figures().idle).toBe(1);
  });

  it('sends a large stream with back-pressure', async () => {
    const { upstream } = await reach((request, response) => {
      let size = 0;
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
        request.pause();
        setImmediate(() => request.resume());
      });
      request.on('end', () => response.end(String(size)));
    });
    let made = 0;
    const body = new Readable({
      read() {
        this.push(made++ < 64 ? Buffer.alloc(256 * 1024) : null);
      },
    });
    const answer = await upstream.request({ method: 'POST', path: '/', body });
    expect(await answer.text()).toBe(String(64 * 256 * 1024));
  });

  it('says that a POST has no body', async () => {
    const { upstream } = await reach(echo);
    const answer = await upstream.request({ method: 'POST', path: '/' });
    expect(await answer.json()).toMatchObject({ headers: { 'content-length': '0' } });
  });

  it('keeps every cookie apart, and names of JavaScript as names', async () => {
    const { upstream } = await reach((_request, response) => {
      response.writeHead(200, [
        'Set-Cookie',
        'a',
        'set-cookie',
        'b',
        '__proto__',
        'c',
        'x',
        '1',
        'X',
        '2',
      ]);
      response.end();
    });
    const { headers } = await upstream.request({ path: '/' });
    expect(headers['set-cookie']).toEqual(['a', 'b']);
    expect(headers['x']).toBe('1, 2');
    expect(Object.keys(headers)).toContain('__proto__');
    expect('toString' in headers).toBe(false);
  });

  it('streams a large body at its reader’s pace', async () => {
    const { upstream } = await reach((_request, response) =>
      response.end(Buffer.alloc(20_000_000)),
    );
    const answer = await upstream.request({ path: '/' });
    await pause(50);
    expect(answer.body.readableLength).toBeLessThan(1_000_000);
    expect((await answer.bytes()).length).toBe(20_000_000);
  });

  it('stops reading a body at a limit, and lets go of its connection', async () => {
    const { upstream, fixture } = await reach((_request, response) =>
      response.end(Buffer.alloc(5_000_000)),
    );
    const answer = await upstream.request({ path: '/' });
    await expect(answer.bytes(1_000)).rejects.toBeInstanceOf(AnswerTooLargeError);
    await eventually(() => expect(fixture.figures().connections).toBe(0));
    expect(fixture.endpoint()).toMatchObject({ active: 0, consecutiveFailures: 0 });
  });

  it('lets go of a body that nobody wants', async () => {
    const { upstream, fixture } = await reach((_request, response) =>
      response.end(Buffer.alloc(5_000_000)),
    );
    (await upstream.request({ path: '/' })).discard();
    await eventually(() => expect(fixture.figures().connections).toBe(0));
  });

  it('fails the reader of a body that is cut off, and nobody else', async () => {
    const { upstream } = await reach((_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    });
    const read = await upstream.request({ path: '/' });
    await expect(read.text()).rejects.toBeInstanceOf(UpstreamConnectionError);
    const unread = await upstream.request({ path: '/' });
    await eventually(() => expect(unread.body.destroyed).toBe(true));
  });

  it('gives up when its time is over, in the head or in the body', async () => {
    const { upstream } = await reach((request, response) => {
      if (request.url === '/body') response.write('begun');
    });
    await expect(upstream.request({ path: '/', timeout: 40 })).rejects.toThrow(
      new UpstreamTimeoutError('orders', 40),
    );
    const answer = await upstream.request({ path: '/body', timeout: 400 });
    await expect(answer.text()).rejects.toBeInstanceOf(UpstreamTimeoutError);
  });

  it('gives up with its signal, at once and later', async () => {
    const { upstream, server, fixture } = await reach(() => {});
    const controller = new AbortController();
    const begun = upstream.request({ path: '/', signal: controller.signal });
    await new Promise((resolve) => server.once('request', resolve));
    controller.abort();
    await expect(begun).rejects.toBeInstanceOf(CallCancelledError);
    await expect(upstream.request({ path: '/', signal: controller.signal })).rejects.toBeInstanceOf(
      CallCancelledError,
    );
    expect(fixture.endpoint()).toMatchObject({ active: 0, consecutiveFailures: 0 });
  });

  it('gives up when the stream it sends breaks', async () => {
    const { upstream } = await reach(echo);
    const broken = new Readable({
      read() {
        this.push('a');
        this.destroy(new Error('the disk is gone'));
      },
    });
    await expect(upstream.request({ method: 'POST', path: '/', body: broken })).rejects.toThrow(
      'the disk is gone',
    );
    const silent = new Readable({ read() {} });
    const call = upstream.request({ method: 'POST', path: '/', body: silent });
    setTimeout(() => silent.destroy(), 20);
    await expect(call).rejects.toThrow('the request body was destroyed');
  });

  it('destroys the stream of a call that failed', async () => {
    const fixture = new UpstreamFixture([]);
    opened.push(() => fixture.close());
    const body = new Readable({ read() {} });
    await expect(
      fixture.upstream.request({ method: 'POST', path: '/', body }),
    ).rejects.toMatchObject({ code: 'ERR_NO_ENDPOINT' });
    expect(body.destroyed).toBe(true);
  });

  it.each<[string, UpstreamRequest]>([
    ['a line end in a value', { path: '/', headers: { a: 'b\r\nc: d' } }],
    ['a bare LF in a value', { path: '/', headers: { a: 'b\nc' } }],
    ['NUL in a value', { path: '/', headers: { a: 'b\0' } }],
    ['a value beyond latin1', { path: '/', headers: { a: '€' } }],
    ['a line end in a list of values', { path: '/', headers: { a: ['b', 'c\r\nd: e'] } }],
    ['a line end in a name', { path: '/', headers: { 'a\r\nb': 'c' } }],
    ['an empty name', { path: '/', headers: { '': 'c' } }],
    ['Host', { path: '/', headers: { Host: 'evil' } }],
    ['Content-Length', { path: '/', headers: { 'Content-Length': '3' } }],
    ['Transfer-Encoding', { path: '/', headers: { 'transfer-encoding': 'chunked' } }],
    ['Connection', { path: '/', headers: { connection: 'upgrade' } }],
    ['a method with a blank', { method: 'GET /', path: '/' }],
    ['a path with a blank', { path: '/a b' }],
    ['a path with a line end', { path: '/a HTTP/1.1\r\nhost: evil\r\n\r\n' }],
    ['a path with a fragment', { path: '/a#b' }],
    ['a path beyond ASCII', { path: '/grün' }],
    ['a path without a slash', { path: 'a' }],
    ['an absolute URL', { path: 'http://evil/' }],
    ['no path', { path: '' }],
  ])('refuses %s', async (_name, request) => {
    const fixture = new UpstreamFixture([]);
    opened.push(() => fixture.close());
    await expect(fixture.upstream.request(request)).rejects.toBeInstanceOf(InvalidRequestError);
  });
});
