import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ClientConnection } from './client-connection.js';

type ErrorHandler = (error: NodeJS.ErrnoException, socket: Socket) => void;

const ENDED = Symbol('rookery.ended');

type Ending = Socket & { [ENDED]?: boolean };

/**
 * Answers requests that Node cannot read, but never in place of an earlier one on the same connection: Node, and Fastify as
 * well, would write its 400 where the answer to that one should stand.
 */
export function answerUnreadable(server: Server): void {
  const others = server.listeners('clientError') as ErrorHandler[];
  server.removeAllListeners('clientError');
  server.on('clientError', (error: NodeJS.ErrnoException, connection) => {
    const socket = connection as Ending;
    // What comes behind the first bytes that make no sense makes none either.
    if (socket[ENDED]) return;
    socket[ENDED] = true;
    if (ClientConnection.endBehindAnswers(socket)) return;
    if (others.length === 0) answer(error, socket);
    for (const other of others) other.call(server, error, socket);
  });
}

/** As Node does it. */
function answer({ code }: NodeJS.ErrnoException, socket: Socket): void {
  const status = statusOf(code);
  if (socket.writable && code !== 'ECONNRESET')
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
  socket.destroy();
}

function statusOf(code: string | undefined): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 413;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}
