import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Writes bytes to a server and gives everything it answers until it closes, or until a text has come. */
export async function exchangeRaw(
  port: number,
  text: string,
  until?: string | RegExp,
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  let answer = '';
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (until !== undefined && answer.search(until) !== -1) resolve();
    });
    socket.on('close', () => resolve());
    socket.write(text, 'latin1');
  });
  socket.destroy();
  return answer;
}

/** The status of a raw answer. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}

/** Answers one request of a connection; false while it is not complete. */
export type RawAnswer = (request: string, socket: Socket) => boolean;

/** A server of bytes: keeps what it was sent, and answers as it is told. */
export class RawServer {
  readonly sockets = new Set<Socket>();
  /** All bytes that came since the last `forget`, as latin1. */
  received = '';
  private readonly server: Server;

  constructor(answer: RawAnswer) {
    this.server = createServer((socket) => {
      let request = '';
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('data', (chunk) => {
        const text = chunk.toString('latin1');
        this.received += text;
        request += text;
        if (answer(request, socket)) request = '';
      });
    });
  }

  forget(): void {
    this.received = '';
  }

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
