import { Agent } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readConsulAddress } from '../../../lib/discovery/backends/consul-address.js';
import { ConsulCheckChanges } from '../../../lib/discovery/backends/consul-check-changes.js';
import { ConsulHttp } from '../../../lib/discovery/backends/consul-http.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { eventually } from '../../support/eventually.js';
import { ScriptedServer } from './support/scripted-server.js';

const MEBIBYTE = 1_048_576;

describe('following all checks', () => {
  const server = new ScriptedServer();
  let clock: FakeClock;
  let agent: Agent;
  let stopped: AbortController;
  let following: Promise<void>;
  let url: string;
  /** The index as of which it is known what fails. */
  let shown: number;

  beforeEach(async () => {
    url = await server.listen();
    server.requests.length = 0;
    shown = 0;
    clock = new FakeClock();
    agent = new Agent({ keepAlive: true });
    stopped = new AbortController();
  });

  afterEach(async () => {
    stopped.abort();
    await following;
    agent.destroy();
    await server.close();
  });

  function start(): void {
    const http = new ConsulHttp(readConsulAddress({ url }, {}), agent, clock);
    const changes = new ConsulCheckChanges({
      clock,
      parked: http,
      calls: http,
      wait: 30_000,
      query: {},
      readIndex: (reply) => Number(reply.header('x-consul-index')),
    });
    following = (async () => {
      for await (const { index } of changes.follow(stopped.signal)) shown = index;
    })();
  }

  /** Follows an agent where so many bytes fail, and other ones each time it is asked. */
  function follow(bytes: number): void {
    let index = 0;
    server.answers((response, { url: path = '' }) => {
      const isList = path.includes('filter=');
      // The list of services changes no more after the first look at it.
      if (!isList && path.includes('index=') && !path.includes('index=0')) return;
      response.writeHead(200, { 'x-consul-index': `${isList ? ++index : 1}` });
      const check = JSON.stringify({
        Output: 'x'.repeat(bytes),
        ServiceName: 'a',
        ModifyIndex: index,
      });
      response.end(isList ? `[${check}]` : '[]');
    });
    start();
  }

  const readings = () =>
    server.requests
      .map(({ url }) => (url.searchParams.has('filter') ? 'reading' : url.pathname))
      .filter((asked) => asked === 'reading' || asked === '/meanwhile');

  it.each([
    ['half a second where few fail', 10, 500],
    ['two seconds for each MiB of those that fail', 3 * MEBIBYTE, 6_000],
  ])('rests between two readings: %s', async (_, bytes, rest) => {
    follow(bytes);
    await eventually(() => expect(shown).toBe(1));
    await clock.advance(rest - 10);
    await fetch(`${url}/meanwhile`);
    expect(readings()).toEqual(['reading', '/meanwhile']);
    await clock.advance(20);
    await eventually(() => expect(readings()).toEqual(['reading', '/meanwhile', 'reading']));
  });

  it('says of a list that stops coming that it took too long', async () => {
    let begun = false;
    server.answers((response, { url: path = '' }) => {
      response.writeHead(200, { 'x-consul-index': '1' });
      if (path.includes('filter=')) begun = response.write('[{"Node":"n1",');
      else response.end('[]');
    });
    start();
    const failed = expect(following).rejects.toThrow('not done within');
    following = Promise.resolve();
    await eventually(() => expect(begun).toBe(true));
    await clock.advance(65_000);
    await failed;
  });
});
