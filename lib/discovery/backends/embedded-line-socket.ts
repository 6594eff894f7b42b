import type { Socket } from 'node:net';

export interface LineSocketOptions {
  /** The longest line that is read, in characters. */
  readonly longest: number;
  /** Hears each line; what it throws breaks the connection. */
  readonly onLine: (line: string) => void;
  /** Hears, once, that the connection is over, and why, unless it ended in order. */
  readonly onClose: (reason?: Error) => void;
}

/** How much may wait to be read by the other side, in bytes, before it counts as dead. */
const BACKLOG = 32 * 1_048_576;

/** JSON on lines over a socket; never keeps the process alive. */
export class LineSocket {
  private partial = '';
  private reason: Error | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly options: LineSocketOptions,
  ) {
    socket.setNoDelay(true).setKeepAlive(true, 10_000).setEncoding('utf8').unref();
    socket.on('data', (chunk: string) => this.receive(chunk));
    socket.on('error', (error) => (this.reason ??= error));
    socket.on('close', () => options.onClose(this.reason));
  }

  /** Whether something can still be sent. */
  get open(): boolean {
    return this.socket.writable;
  }

  send(message: object): void {
    this.sendLine(JSON.stringify(message));
  }

  /** Sends what is JSON already. */
  sendLine(line: string): void {
    if (!this.open) return;
    this.socket.write(`${line}\n`);
    if (this.socket.writableLength > BACKLOG) {
      this.break(new Error('the other side does not read'));
    }
  }

  /** Ends after what was sent has left. */
  end(): void {
    this.socket.destroySoon();
  }

  /** Ends at once; the reason is told to `onClose`. */
  break(reason: Error): void {
    this.reason ??= reason;
    this.socket.destroy();
  }

  private receive(chunk: string): void {
    const { longest, onLine } = this.options;
    let start = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      const line = this.partial + chunk.slice(start, end);
      this.partial = '';
      start = end + 1;
      if (line.length > longest) return this.tooLong();
      try {
        onLine(line);
      } catch (error) {
        return this.break(error as Error);
      }
      if (!this.open) return;
    }
    this.partial += chunk.slice(start);
    if (this.partial.length > longest) this.tooLong();
  }

  private tooLong(): void {
    this.partial = '';
    this.break(new Error(`a line is longer than ${this.options.longest} characters`));
  }
}
