import { ClientTCP, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import type { Clock } from '../common/clock.js';
import { formatDuration } from '../common/duration.js';

/** How long a connection may be idle before the system asks whether the peer is still there, in ms. */
const KEEP_ALIVE = 15_000;

/** Said by Nest's client to every call under way when its connection ends. */
const CLOSED = 'Connection closed';

/** One connection to one instance, on Nest's own TCP client; used once and never opened again. */
export class TcpConnection extends ClientTCP {
  private usable = false;
  private gathers = false;

  /** Connects within so many ms, or rejects. */
  static async open(
    host: string,
    port: number,
    clock: Clock,
    limit: number,
  ): Promise<TcpConnection> {
    const connection = new TcpConnection({ host, port });
    const cancel = clock.after(limit, () => connection.giveUp(limit));
    try {
      await connection.connect();
      connection.begin();
      return connection;
    } finally {
      cancel();
    }
  }

  /** Whether a failure says that the connection ended while the answer was awaited. */
  static wasLost(error: unknown): boolean {
    return error instanceof Error && error.message === CLOSED;
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.usable;
  }

  /** Sends a message and hears its answers; returns how to hear no more of them. */
  request(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    this.gather();
    return this.publish(packet, callback);
  }

  /** Sends an event; resolves when it has left this process. */
  dispatch(packet: ReadPacket): Promise<void> {
    const { socket } = this;
    const message: unknown = this.serializer.serialize({
      ...packet,
      pattern: this.normalizePattern(packet.pattern as string),
    });
    return new Promise((resolve, reject) => {
      if (!socket) return reject(new Error(CLOSED));
      socket.sendMessage(message, (error?: Error | null) => (error ? reject(error) : resolve()));
    });
  }

  /** Ends the connection behind what was written. */
  override close(): void {
    this.socket?.netSocket.destroySoon();
    super.close();
  }

  override handleClose(): void {
    this.usable = false;
    super.handleClose();
  }

  /** Nest's client logs errors, though whoever calls hears of them. */
  override handleError(): void {}

  /** What is sent in one go leaves as one: a packet for each message would wake the other side for each. */
  private gather(): void {
    const netSocket = this.socket?.netSocket;
    if (this.gathers || netSocket === undefined) return;
    this.gathers = true;
    netSocket.cork();
    process.nextTick(() => {
      this.gathers = false;
      netSocket.uncork();
    });
  }

  private begin(): void {
    this.usable = this.socket !== null;
    this.socket?.netSocket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE);
  }

  private giveUp(limit: number): void {
    this.socket?.netSocket.destroy(new Error(`no connection within ${formatDuration(limit)}`));
  }
}
