import type { Readable } from 'node:stream';
import { AnswerTooLargeError } from '../upstream.errors.js';

/** Header values by lower-case name; a field that came more than once is joined by commas, `set-cookie` is a list. */
export type ResponseHeaders = Readonly<Record<string, string>> & {
  readonly 'set-cookie'?: readonly string[];
};

/**
 * The answer to `Upstream.request`: its head is here, its body is still coming.
 *
 * Read the body, or call `discard`: it keeps its connection until then.
 */
export class UpstreamResponse {
  private parsed: ResponseHeaders | undefined;

  constructor(
    readonly status: number,
    /** Alternating names and values as they came. */
    readonly rawHeaders: readonly string[],
    readonly body: Readable,
    private readonly service: string,
  ) {}

  /** Whether the status is between 200 and 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get headers(): ResponseHeaders {
    return (this.parsed ??= parseHeaders(this.rawHeaders));
  }

  /** The whole body; throws `AnswerTooLargeError` when it has more bytes than the limit. */
  async bytes(limit = Number.POSITIVE_INFINITY): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw new AnswerTooLargeError(this.service, limit);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  }

  /** The whole body as UTF-8. */
  async text(limit?: number): Promise<string> {
    return (await this.bytes(limit)).toString('utf8');
  }

  /** The whole body, parsed as JSON; throws `SyntaxError` when it is none. */
  async json<T = unknown>(limit?: number): Promise<T> {
    return JSON.parse(await this.text(limit)) as T;
  }

  /** Lets go of a body nobody wants, and of its connection. */
  discard(): void {
    this.body.destroy();
  }
}

function parseHeaders(raw: readonly string[]): ResponseHeaders {
  // Without a prototype: a field named `__proto__` is a field like any other.
  const headers = Object.create(null) as Record<string, string | string[]>;
  const cookies: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    const value = raw[i + 1] ?? '';
    const known = headers[name];
    if (name === 'set-cookie') cookies.push(value);
    else headers[name] = typeof known === 'string' ? `${known}, ${value}` : value;
  }
  if (cookies.length > 0) headers['set-cookie'] = cookies;
  return headers as ResponseHeaders;
}
