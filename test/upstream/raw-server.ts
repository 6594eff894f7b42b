import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** One request as it came over the wire, head only. */
export interface RawRequest {
  readonly head: string;
  readonly socket: Socket;
  /** Which connection it came on, counted from 0, and which request of that connection. */
  readonly connection: number;
  readonly turn: number;
}

/** A TCP server that answers whatever a test writes; requests are told apart by their empty line. */
export class RawServer {
  readonly requests: RawRequest[] = [];
  readonly sockets = new Set<Socket>();
  /** Everything that came, heads and bodies. */
  received = '';
  connections = 0;

  private constructor(
    private readonly server: Server,
    private readonly answer: (request: RawRequest) => void,
  ) {
    server.on('connection', (socket) => this.accept(socket));
  }

  static async listen(answer: (request: RawRequest) => void, port = 0): Promise<RawServer> {
    const server = createServer();
    const raw = new RawServer(server, answer);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return raw;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** As `kill -9` would: every connection is reset and nobody listens any more. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.resetAndDestroy();
    await closed;
  }

  private accept(socket: Socket): void {
    const connection = this.connections++;
    this.sockets.add(socket);
    let text = '';
    let turn = 0;
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const piece = bytes.toString('latin1');
      this.received += piece;
      text += piece;
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const request = { head: text.slice(0, end), socket, connection, turn: turn++ };
        text = text.slice(end + 4);
        // What follows the head of a request with a body is no head.
        if (/^(?:content-length: [1-9]|transfer-encoding)/im.test(request.head)) text = '';
        this.requests.push(request);
        this.answer(request);
      }
    });
  }
}
