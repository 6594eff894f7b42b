import type { Readable } from 'node:stream';
import type { RequestSink } from '../upstream-call.js';

/** Writes a request body into the connection it was given: bytes at once, a stream in chunks as it comes. */
export class BodyWriter {
  private stream: Readable | undefined;
  private begun = false;

  constructor(
    private readonly body: Buffer | Readable,
    private readonly onError: (error: Error) => void,
  ) {}

  /** Whether it can be written only once, and that has begun. */
  get once(): boolean {
    return this.begun && !Buffer.isBuffer(this.body);
  }

  /** Begins to write; bytes may be written again into another sink, a stream may not. */
  begin(sink: RequestSink): void {
    this.begun = true;
    if (Buffer.isBuffer(this.body)) {
      sink.write(this.body);
      sink.end();
      return;
    }
    const stream = (this.stream = this.body);
    stream.on('error', this.onError);
    stream.on('data', (chunk: Buffer | string) => {
      if (!writeChunk(sink, typeof chunk === 'string' ? Buffer.from(chunk) : chunk)) stream.pause();
    });
    stream.on('end', () => {
      sink.write('0\r\n\r\n');
      sink.end();
    });
    stream.on('close', () => {
      if (!stream.readableEnded) this.onError(new Error('the request body was destroyed'));
    });
  }

  /** Goes on after the connection was full. */
  proceed(): void {
    this.stream?.resume();
  }

  /** The call has ended: nothing more of the body is wanted. */
  stop(): void {
    if (Buffer.isBuffer(this.body) || this.body.readableEnded) return;
    this.body.on('error', () => {});
    this.body.destroy();
  }
}

function writeChunk(sink: RequestSink, chunk: Buffer): boolean {
  // A chunk of no bytes would end the body (RFC 9112, 7.1).
  if (chunk.length === 0) return true;
  sink.write(`${chunk.length.toString(16)}\r\n`);
  sink.write(chunk);
  return sink.write('\r\n');
}
