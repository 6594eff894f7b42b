import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { LaneHead } from '../../../lib/gateway/lane/lane-head.js';
import { disagreement, nearlyRightHead, NodeReader } from './head-fuzz.mjs';

const PLAIN = 'GET /a?b HTTP/1.1\r\nHost: x\r\n';

describe('the head that the fast lane reads', () => {
  it('is read as it stands', () => {
    const head = new LaneHead();
    expect(head.read('PUT /a?b=%20 HTTP/1.1\r\nHost:x \r\nX-A:\t caf\xe9\r\nEmpty:\r\n')).toBe(
      true,
    );
    expect(head).toMatchObject({ method: 'PUT', url: '/a?b=%20', keepAlive: true });
    expect(head.rawHeaders).toEqual(['Host', 'x', 'X-A', 'caf\xe9', 'Empty', '']);
  });

  it.each([
    ['another method', 'TRACE / HTTP/1.1\r\nHost: x\r\n'],
    ['an absolute target', 'GET http://x/ HTTP/1.1\r\nHost: x\r\n'],
    ['another version', 'GET / HTTP/1.0\r\nHost: x\r\n'],
    ['no host', 'GET / HTTP/1.1\r\nA: b\r\n'],
    ['two hosts', `${PLAIN}Host: x\r\n`],
    ['two lengths', `${PLAIN}Content-Length: 1\r\nContent-Length: 1\r\n`],
    ['a length that is none', `${PLAIN}Content-Length: 1 1\r\n`],
    ['a tab behind a length', `${PLAIN}Content-Length: 5\t\r\n`],
    ['chunks', `${PLAIN}Transfer-Encoding: chunked\r\n`],
    ['an expectation', `${PLAIN}Expect: 100-continue\r\n`],
    ['an upgrade', `${PLAIN}Upgrade: websocket\r\n`],
    ['trailers', `${PLAIN}TE: trailers\r\n`],
    ['named connection options', `${PLAIN}Connection: keep-alive, X-A\r\n`],
    ['a tab behind a connection option', `${PLAIN}Connection: close\t\r\n`],
    ['a folded line', `${PLAIN}A: b\r\n c\r\n`],
    ['a blank before a colon', `${PLAIN}A : b\r\n`],
    ['a bare line feed', 'GET / HTTP/1.1\nHost: x\r\n'],
    ['a control character', `${PLAIN}A: \0\r\n`],
    ['an empty line before', `\r\n${PLAIN}`],
  ])('leaves %s to Node', (_what, text) => {
    expect(new LaneHead().read(text)).toBe(false);
  });

  it('is one that Node takes too, and reads the same', async () => {
    const node = new NodeReader();
    const head = new LaneHead();
    let agreed = 0;
    await fc.assert(
      fc.asyncProperty(nearlyRightHead, async (text) => {
        const verdict = await disagreement(head, text, node);
        if (verdict === 'agreed') agreed++;
        else expect(verdict).toBeUndefined();
      }),
      { numRuns: 3_000 },
    );
    // It would prove nothing about a lane that takes nothing.
    expect(agreed).toBeGreaterThan(300);
  });
});
