import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { OpenResponses } from '../../lib/discovery/open-responses.js';

function responses(count: number): ServerResponse[] {
  return Array.from({ length: count }, () => new ServerResponse(new IncomingMessage(new Socket())));
}

function filled(...all: readonly ServerResponse[]): OpenResponses {
  const open = new OpenResponses();
  for (const response of all) open.add(response);
  return open;
}

describe('OpenResponses', () => {
  it('holds what was added and not taken out, in any order', () => {
    const [a, b, c] = responses(3) as [ServerResponse, ServerResponse, ServerResponse];
    const open = filled(a, b, c);
    open.delete(a);
    expect(new Set(open)).toEqual(new Set([b, c]));
    open.delete(c);
    expect([...open]).toEqual([b]);
    open.delete(b);
    expect(open.size).toBe(0);
  });

  it('takes nothing out twice, and nothing that it does not hold', () => {
    const [a, b, stranger] = responses(3) as [ServerResponse, ServerResponse, ServerResponse];
    const open = filled(a, b);
    open.delete(a);
    open.delete(a);
    open.delete(stranger);
    expect([...open]).toEqual([b]);
  });

  it('can be emptied while it is walked through', () => {
    const open = filled(...responses(10));
    let seen = 0;
    for (const response of open) {
      open.delete(response);
      seen++;
    }
    expect(seen).toBe(10);
    expect(open.size).toBe(0);
  });

  it('holds the same as a set after any coming and going', () => {
    const all = responses(50);
    const open = new OpenResponses();
    const model = new Set<ServerResponse>();
    for (let step = 0; step < 2_000; step++) {
      const response = all[(step * 31 + (step % 7)) % all.length] as ServerResponse;
      if (model.has(response)) {
        model.delete(response);
        open.delete(response);
      } else {
        model.add(response);
        open.add(response);
      }
      expect(open.size).toBe(model.size);
    }
    expect(new Set(open)).toEqual(model);
  });
});
