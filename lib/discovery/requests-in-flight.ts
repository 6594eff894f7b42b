import type { Server, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { RequestListener } from '../common/request-listener.js';
import { OpenResponses } from './open-responses.js';

/** How often to look for requests whose connection is gone, in ms. */
const SWEEP = 50;

/** How long connections get to end by themselves, behind the last bytes of their answers, in ms. */
const FAREWELL = 100;

/** The requests that have come and are not answered yet, and how their connections are ended politely. */
@Injectable()
export class RequestsInFlight {
  private readonly open = new OpenResponses();
  private readonly waiting = new Set<() => void>();
  private readonly onClose: (this: ServerResponse) => void;
  private hangingUp = false;
  /** How many may be open before those without a connection are looked for. */
  private sweepAt = 1_000;

  constructor(
    private readonly requests: RequestListener,
    private readonly clock: Clock,
  ) {
    const settle = (response: ServerResponse) => this.settle(response);
    // One function for all requests: this runs for every one of them.
    this.onClose = function (this: ServerResponse) {
      settle(this);
    };
    requests.observe((_request, response) => this.begin(response), { every: false });
  }

  /** How many there are. */
  get count(): number {
    this.sweep();
    return this.open.size + this.beside;
  }

  /** From now on every answer ends its connection, and connections without a request are closed. */
  hangUp(): void {
    this.hangingUp = true;
    for (const response of this.open) announceClose(response);
    this.requests.beside?.hangUp();
    this.server.closeIdleConnections?.();
  }

  /** Waits until none is left, or for so many ms; gives how many are left. */
  async finished(limit: number): Promise<number> {
    if (this.count === 0) return 0;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.waiting.delete(done);
        cancelLimit();
        cancelSweep();
        resolve();
      };
      this.waiting.add(done);
      const cancelLimit = this.clock.after(limit, done);
      const cancelSweep = this.clock.every(SWEEP, () => this.count === 0 && done());
    });
    return this.count;
  }

  /**
   * Takes no more connections and ends all there are. Once no request is in flight those are silent ones, which Node
   * does not count as idle and a closing server would wait for without limit.
   */
  async close(): Promise<void> {
    const { server } = this.requests;
    if (!server?.listening) return;
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    const ended = new AbortController();
    await Promise.race([closed, this.clock.sleep(FAREWELL, ended.signal)]);
    ended.abort();
    this.server.closeAllConnections?.();
  }

  /** An HTTP/2 server and an application without a server have neither method. */
  private get server(): Partial<Pick<Server, 'closeIdleConnections' | 'closeAllConnections'>> {
    return this.requests.server ?? {};
  }

  /** Those that never come by the listener. */
  private get beside(): number {
    return this.requests.beside?.open ?? 0;
  }

  private begin(response: ServerResponse): void {
    if (this.open.size >= this.sweepAt) this.sweep();
    this.open.add(response);
    response.on('close', this.onClose);
    if (this.hangingUp) announceClose(response);
  }

  private settle(response: ServerResponse): void {
    this.open.delete(response);
    if (this.open.size + this.beside > 0) return;
    for (const done of this.waiting) done();
  }

  /** Node tells a pipelined response nothing when its connection ends before its turn has come. */
  private sweep(): void {
    for (const response of this.open) if (response.req.socket.destroyed) this.open.delete(response);
    this.sweepAt = Math.max(1_000, this.open.size * 2);
  }
}

/** RFC 9112, 9.6: the client sends nothing more on a connection whose answer says so. */
function announceClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
