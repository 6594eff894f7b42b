import { STATUS_CODES } from 'node:http';

/** How an answer's body is delimited. */
export type AnswerFraming = 'none' | 'length' | 'chunked';

/**
 * Writes the heads of answers as Node's `ServerResponse` does: a date where there is none, chunks where there is no length,
 * and what becomes of the connection.
 */
export class AnswerHead {
  /** How the body of the answer that was written last is delimited. */
  framing: AnswerFraming = 'none';
  private keeping = { ms: -1, lines: '' };
  private date = { second: -1, line: '' };

  /** @param keepAlive how long an idle connection is kept, in ms; 0 is for ever */
  constructor(
    private readonly wallTime: () => number,
    private readonly keepAlive: () => number,
  ) {}

  /** The head with the empty line behind it, as latin1. */
  write(answer: PlainAnswer, rawHeaders: readonly string[]): string {
    const { status } = answer;
    let head = statusLine(status);
    let isDated = false;
    let hasLength = false;
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] as string;
      if (name.length === 4) isDated ||= name.toLowerCase() === 'date';
      else if (name.length === 14) hasLength ||= name.toLowerCase() === 'content-length';
      head += `${name}: ${rawHeaders[at + 1]}\r\n`;
    }
    if (!isDated) head += this.dateLine();
    this.framing = framingOf(status, hasLength, answer.toHead);
    if (this.framing === 'chunked') head += 'transfer-encoding: chunked\r\n';
    return `${head}${answer.closes ? 'connection: close\r\n' : this.kept()}\r\n`;
  }

  private kept(): string {
    const ms = this.keepAlive();
    if (ms !== this.keeping.ms) this.keeping = { ms, lines: keptFor(ms) };
    return this.keeping.lines;
  }

  private dateLine(): string {
    const now = this.wallTime();
    const second = Math.floor(now / 1_000);
    if (second !== this.date.second)
      this.date = { second, line: `date: ${new Date(now).toUTCString()}\r\n` };
    return this.date.line;
  }
}

/** What an answer's head depends on beside its fields. */
export interface PlainAnswer {
  readonly status: number;
  /** Whether it answers `HEAD`. */
  readonly toHead: boolean;
  /** Whether the connection ends behind it. */
  readonly closes: boolean;
}

function keptFor(ms: number): string {
  const lines = 'connection: keep-alive\r\n';
  return ms === 0 ? lines : `${lines}keep-alive: timeout=${Math.floor(ms / 1_000)}\r\n`;
}

function framingOf(status: number, hasLength: boolean, toHead: boolean): AnswerFraming {
  // RFC 9112, 6.3: these have no body, whatever their fields say.
  if (toHead || status === 204 || status === 304) return 'none';
  return hasLength ? 'length' : 'chunked';
}

function statusLine(status: number): string {
  return status === 200
    ? 'HTTP/1.1 200 OK\r\n'
    : `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
}
