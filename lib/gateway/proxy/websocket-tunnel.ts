import type { Socket } from 'node:net';
import { Deadline, type Deadlines } from '../../upstream/deadline-list.js';

/** Dead peers are found by TCP's own probes, after so many ms of silence. */
const PROBE_AFTER = 30_000;

/** What a tunnel is made of. */
export interface TunnelParts {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly deadlines: Deadlines;
  /** How long both sides may be silent, in ms; 0 is for ever. */
  readonly idle: number;
  /** Both sides are closed. */
  readonly onClosed: () => void;
}

/**
 * Bytes that pass both ways between two sockets, as they are: each side waits for the other to take them, and ends for
 * itself. It is itself the deadline of its silence; bytes that nobody takes do not break a silence.
 */
export class WebSocketTunnel extends Deadline {
  private open = 2;

  constructor(private readonly parts: TunnelParts) {
    super();
  }

  /** Begins; both sockets are the tunnel's from here on. */
  start(): void {
    const { client, upstream } = this.parts;
    this.lead(client, upstream);
    this.lead(upstream, client);
    this.rest();
  }

  /** Ends both sides behind what is on its way; what is not taken in time goes with `destroy`. */
  end(): void {
    this.parts.client.end();
    this.parts.upstream.end();
  }

  destroy(): void {
    this.parts.client.destroy();
    this.parts.upstream.destroy();
  }

  override expire(): void {
    this.destroy();
  }

  private lead(from: Socket, to: Socket): void {
    // The server's own idle time counts requests, of which none comes here any more.
    from.setTimeout(0);
    from.setNoDelay(true);
    from.setKeepAlive(true, PROBE_AFTER);
    from.on('data', (bytes: Buffer) => {
      this.rest();
      if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => to.end());
    // What happened is told by the `close` that follows.
    from.on('error', () => {});
    from.on('close', () => this.onClose(from, to));
    from.resume();
  }

  private onClose(from: Socket, to: Socket): void {
    // Without a proper end the other side must not take what it has for all there is.
    if (!from.readableEnded) to.destroy();
    if (--this.open > 0) return;
    this.parts.deadlines.clear(this);
    this.parts.onClosed();
  }

  private rest(): void {
    const { deadlines, idle } = this.parts;
    deadlines.set(this, idle, deadlines.coarseNow);
  }
}
