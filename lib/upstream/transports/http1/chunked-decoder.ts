import { readTrailers } from './response-head.js';

/** The longest line that begins a chunk, extensions included. */
const LONGEST_LINE = 1_024;
/** What all chunk extensions of an answer may amount to; nobody uses them but attackers. */
const MOST_EXTENSIONS = 16_384;
/** What all trailer lines of an answer may amount to. */
const MOST_TRAILERS = 65_536;

const CR = 0x0d;
const LF = 0x0a;

type Part = 'size' | 'data' | 'data-end' | 'trailers' | 'done';

/** Where the decoded bytes go. */
export interface ChunkSink {
  onBody(chunk: Buffer): void;
}

/** Takes the chunked framing off a body (RFC 9112, 7.1). */
export class ChunkedDecoder {
  /** The trailers, once it is done, if there were any. */
  trailers: string[] | undefined;
  private part: Part = 'size';
  private left = 0;
  private line = '';
  private extensions = 0;
  private trailerText = '';

  constructor(private readonly sink: ChunkSink) {}

  /** Begins with the next body. */
  reset(): void {
    this.part = 'size';
    this.left = 0;
    this.line = '';
    this.extensions = 0;
    this.trailerText = '';
    this.trailers = undefined;
  }

  get done(): boolean {
    return this.part === 'done';
  }

  /** Decodes until the body or the bytes end; returns how many bytes it took, or what is wrong. */
  feed(bytes: Buffer): number | string {
    let at = 0;
    while (at < bytes.length && this.part !== 'done') {
      const next = this.step(bytes, at);
      if (typeof next === 'string') return next;
      at = next;
    }
    return at;
  }

  private step(bytes: Buffer, at: number): number | string {
    switch (this.part) {
      case 'data':
        return this.data(bytes, at);
      case 'data-end':
        return this.dataEnd(bytes, at);
      default:
        return this.textLine(bytes, at);
    }
  }

  private data(bytes: Buffer, at: number): number {
    const end = Math.min(at + this.left, bytes.length);
    this.left -= end - at;
    if (this.left === 0) this.part = 'data-end';
    this.sink.onBody(bytes.subarray(at, end));
    return end;
  }

  private dataEnd(bytes: Buffer, at: number): number | string {
    // `left` counts how much of the CRLF has come.
    if (bytes[at] !== (this.left === 0 ? CR : LF)) return 'a chunk is longer than its size';
    if (++this.left === 2) {
      this.left = 0;
      this.part = 'size';
    }
    return at + 1;
  }

  private textLine(bytes: Buffer, at: number): number | string {
    const end = bytes.indexOf(LF, at);
    this.line += bytes.toString('latin1', at, end < 0 ? bytes.length : end + 1);
    if (this.part === 'size') {
      if (this.line.length > LONGEST_LINE) return 'the line of a chunk is too long';
    } else if (this.trailerText.length + this.line.length > MOST_TRAILERS) {
      return 'its trailers are too long';
    }
    if (end < 0) return bytes.length;
    const { line } = this;
    this.line = '';
    const problem = this.part === 'size' ? this.size(line) : this.trailer(line);
    return problem ?? end + 1;
  }

  private size(line: string): string | undefined {
    // oxlint-disable-next-line no-control-regex -- refusing control characters is the point
    const match = /^([\da-f]{1,12})((?:[ \t]*;[^\0-\x08\n-\x1f\x7f]*)?)\r\n$/i.exec(line);
    if (!match) return 'the size of a chunk is malformed';
    this.extensions += match[2]?.length ?? 0;
    if (this.extensions > MOST_EXTENSIONS) return 'its chunk extensions are too long';
    this.left = Number.parseInt(match[1] ?? '', 16);
    this.part = this.left === 0 ? 'trailers' : 'data';
    return undefined;
  }

  private trailer(line: string): string | undefined {
    if (line !== '\r\n') {
      this.trailerText += line;
      return undefined;
    }
    this.part = 'done';
    if (this.trailerText === '') return undefined;
    this.trailers = readTrailers(this.trailerText);
    return this.trailers ? undefined : 'its trailers are malformed';
  }
}
