import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { SystemClock } from '../common/clock.js';
import { type Duration, milliseconds } from '../common/duration.js';

/**
 * How an upstream fails: `none` answers, `slow` answers late, `reset` breaks every connection, `refuse` does not listen,
 * `blackhole` never answers, `wrong-framing` answers with two lengths, `truncated` ends in the middle of an answer.
 */
export type Fault =
  | 'none'
  | 'reset'
  | 'refuse'
  | 'blackhole'
  | 'wrong-framing'
  | 'truncated'
  | { readonly slow: Duration }
  | { readonly status: number };

/** How a faulty upstream is made. */
export interface FaultyUpstreamOptions {
  /** What it answers while it works. @default 200 with `{"ok":true}` */
  readonly answer?: RequestListener;
  /** How it fails at first. @default 'none' */
  readonly fault?: Fault;
}

/** RFC 9112, 6.3: two lengths that differ are an error which no client may recover from. */
const TWO_LENGTHS = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 7\r\n\r\n{}';
const HALF =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"half":';

/** An HTTP server on a port of its own that fails as it is told to; made by `faultyUpstream`. */
export class FaultyUpstream {
  private readonly clock = new SystemClock();
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private fault: Fault = 'none';
  private bound = 0;
  private asked = 0;

  constructor(private readonly answer: RequestListener) {
    this.server = createServer((request, response) => {
      this.asked += 1;
      const fault = this.fault;
      const { socket } = request;
      if (fault === 'none') this.answer(request, response);
      else if (fault === 'reset') socket.resetAndDestroy();
      else if (fault === 'wrong-framing') socket.end(TWO_LENGTHS);
      else if (fault === 'truncated') socket.end(HALF);
      else if (typeof fault === 'object' && 'status' in fault)
        response.writeHead(fault.status).end();
      else if (typeof fault === 'object') {
        this.clock.after(milliseconds(fault.slow), () => this.answer(request, response));
      }
    });
    this.server.on('connection', (socket) => {
      this.sockets.add(socket.on('close', () => this.sockets.delete(socket)));
      if (this.fault === 'reset') socket.resetAndDestroy();
    });
  }

  /** Where it can be found, also while it refuses: `http://127.0.0.1:40123`. */
  get url(): string {
    return `http://127.0.0.1:${this.bound}`;
  }

  /** How many requests have reached it. */
  get requests(): number {
    return this.asked;
  }

  /** Changes how it fails, from the next request on; what is under way goes on as it began. */
  async become(fault: Fault): Promise<void> {
    this.fault = fault;
    if (fault === 'refuse') await this.stop();
    else if (!this.server.listening) await this.listen();
  }

  async close(): Promise<void> {
    await this.stop();
  }

  private async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.bound, '127.0.0.1', () => resolve());
    });
    this.bound = (this.server.address() as AddressInfo).port;
  }

  private async stop(): Promise<void> {
    for (const socket of this.sockets) socket.resetAndDestroy();
    if (!this.server.listening) return;
    await new Promise<void>((resolve) => void this.server.close(() => resolve()));
  }

  /** @internal */
  async start(fault: Fault): Promise<this> {
    await this.listen();
    await this.become(fault);
    return this;
  }
}

/**
 * Starts an HTTP server that fails as it is told to, on a real socket of the loopback address.
 *
 * @example
 * const inventory = await faultyUpstream();
 * const backend = staticInstances({ inventory: [inventory.url] });
 * await inventory.become({ slow: '2s' });
 * await inventory.become('reset');
 * await inventory.close();
 */
export function faultyUpstream(options: FaultyUpstreamOptions = {}): Promise<FaultyUpstream> {
  const { answer = sayOk, fault = 'none' } = options;
  return new FaultyUpstream(answer).start(fault);
}

const sayOk: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
};
