import { Readable } from 'node:stream';
import { ChunkedDecoder } from './http1/chunked-decoder.js';

/** What undici writes by itself, and refuses to be told. */
const OWN = new Set(['connection', 'expect', 'keep-alive', 'te', 'transfer-encoding', 'upgrade']);

/** A request's head as undici takes it. */
export interface UndiciHead {
  readonly method: string;
  readonly path: string;
  /** Alternating names and values. */
  readonly headers: string[];
  readonly isChunked: boolean;
}

/** Takes a head apart; its lines are our own, and each ends with CRLF. */
export function readHead(text: string): UndiciHead {
  const [first = '', ...lines] = text.split('\r\n');
  const [method = '', path = ''] = first.split(' ', 2);
  const headers: string[] = [];
  let isChunked = false;
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon === -1) continue;
    const name = line.slice(0, colon);
    const lower = name.toLowerCase();
    if (lower === 'transfer-encoding') isChunked = true;
    if (!OWN.has(lower)) headers.push(name, line.slice(colon + 1).trim());
  }
  return { method, path, headers, isChunked };
}

/** A request's body on its way into undici, which frames it itself: chunks that are framed already are taken out. */
export class UndiciBody extends Readable {
  private readonly chunks: ChunkedDecoder | undefined;
  private isFull = false;

  constructor(
    isChunked: boolean,
    private readonly onDrain: () => void,
  ) {
    super();
    this.chunks = isChunked
      ? new ChunkedDecoder({ onBody: (chunk) => this.pass(chunk) })
      : undefined;
    // Whoever gives the request up hears of it from its attempt.
    this.on('error', () => {});
  }

  override _read(): void {
    if (!this.isFull) return;
    this.isFull = false;
    this.onDrain();
  }

  /** Takes bytes as they would go on the wire; false asks to wait. */
  accept(bytes: Buffer): boolean {
    if (this.chunks === undefined) this.pass(bytes);
    else this.chunks.feed(bytes);
    return !this.isFull;
  }

  /** The body is complete. */
  complete(): void {
    this.push(null);
  }

  private pass(bytes: Buffer): void {
    if (!this.push(bytes)) this.isFull = true;
  }
}
