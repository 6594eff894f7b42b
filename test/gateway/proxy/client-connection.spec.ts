import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import {
  type ClientBound,
  ClientConnection,
} from '../../../lib/gateway/proxy/client-connection.js';

function socketAt(remoteAddress: string): Socket {
  return Object.assign(new EventEmitter(), { remoteAddress }) as unknown as Socket;
}

class Bound implements ClientBound {
  nextOnConnection: ClientBound | undefined;
  abandoned = 0;
  abandon(): void {
    this.abandoned++;
  }
  closeAfter(): void {}
}

describe('a client connection', () => {
  it('is asked once whether it is trusted, and knows its address', () => {
    const socket = socketAt('::ffff:10.0.0.1');
    let asked = 0;
    const first = ClientConnection.of(socket, () => ++asked > 0);
    expect(ClientConnection.of(socket, () => ++asked > 0)).toBe(first);
    expect([first.address, first.trusted, asked]).toEqual(['10.0.0.1', true, 1]);
    expect(socket.listenerCount('close')).toBe(1);
  });

  it('ends what is under way on it, and only that', () => {
    const socket = socketAt('10.0.0.1');
    const connection = ClientConnection.of(socket, () => false);
    const all = Array.from({ length: 4 }, () => new Bound());
    for (const bound of all) connection.add(bound);
    const [first, second, third, fourth] = all;
    if (!first || !second || !third || !fourth) throw new Error('four were made');
    connection.remove(second);
    connection.remove(fourth);
    connection.remove(fourth);
    socket.emit('close');
    expect(all.map(({ abandoned }) => abandoned)).toEqual([1, 0, 1, 0]);
  });
});
