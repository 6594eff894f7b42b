import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FlushQueue } from '../../../../lib/upstream/flush-queue.js';
import { Attempt } from '../../../../lib/upstream/transport.js';
import {
  type ConnectionOwner,
  Http1Connection,
} from '../../../../lib/upstream/transports/http1/connection.js';
import {
  UpstreamConnectionError,
  type UpstreamError,
} from '../../../../lib/upstream/upstream.errors.js';
import { eventually } from '../../../support/eventually.js';
import { RawServer } from '../../raw-server.js';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** An attempt that notes how it ended. */
class NotedAttempt extends Attempt {
  override readonly method = 'POST';
  override readonly hasBody = false;
  override readonly upgrades = false;
  override readonly wantsFresh = false;
  override readonly startedAt = 0;
  outcome: string | undefined;
  error: UpstreamError | undefined;

  override head = () => 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n';
  override onQueued = () => {};
  override onConnecting = () => {};
  override onSent = () => {};
  override onDrain = () => {};
  override onInformation = () => {};
  override onHead = () => {};
  override onBody = () => true;
  override onUpgrade = () => {};
  override expire = () => {};
  override onEnd = () => {
    this.outcome = 'answered';
  };
  override onFailure = (error: UpstreamError, received: boolean) => {
    this.outcome = received ? 'failed behind bytes' : 'failed';
    this.error = error;
  };
}

describe('Http1Connection, whose requests leave when the turn of the event loop ends', () => {
  let server: RawServer;
  let socket: Socket;
  let connection: Http1Connection;

  beforeEach(async () => {
    server = await RawServer.listen((request) => void request.socket.write(OK));
    socket = connect(server.port, '127.0.0.1');
    const owner: ConnectionOwner = {
      service: 'items',
      flushes: new FlushQueue(),
      onIdle: () => {},
      onClosed: () => {},
      onStrayError: (error) => {
        throw error;
      },
    };
    connection = new Http1Connection(owner, socket, 'connect');
    const first = new NotedAttempt();
    connection.send(first);
    await eventually(() => expect(first.outcome).toBe('answered'));
  });
  afterEach(async () => {
    connection.destroy();
    await server.kill();
  });

  it('takes what comes before its request has left for no answer', () => {
    const attempt = new NotedAttempt();
    connection.send(attempt);
    socket.emit('data', Buffer.from('HTTP/1.1 408 Request Timeout\r\n\r\n'));
    expect(attempt.outcome).toBe('failed');
    expect(attempt.error).toBeInstanceOf(UpstreamConnectionError);
    expect(attempt.error).toMatchObject({ sent: false });
    expect(connection.usable).toBe(false);
  });

  it('says that nothing was sent when the server ends it in the same turn', async () => {
    const attempt = new NotedAttempt();
    connection.send(attempt);
    socket.emit('end');
    expect(attempt.error).toMatchObject({ sent: false });
    await once(socket, 'close');
    expect(server.requests).toHaveLength(1);
  });

  it('sends nothing for an attempt that is given up in the same turn', async () => {
    connection.send(new NotedAttempt());
    connection.abort();
    await once(socket, 'close');
    expect(server.requests).toHaveLength(1);
  });

  it('says that it was sent once it has left', async () => {
    const attempt = new NotedAttempt();
    connection.send(attempt);
    connection.flush();
    socket.emit('end');
    expect(attempt.error).toMatchObject({ sent: true });
  });
});
