import type { BodyTransform, ExchangeResponse } from '../filters/exchange-ears.js';
import type { GatewayExchange } from '../filters/gateway-exchange.js';

/** An answer's body on its way into memory, because a filter makes another one of it. */
export class AnswerBody {
  private readonly chunks: Buffer[] = [];
  private size = 0;

  private constructor(
    readonly response: ExchangeResponse,
    private readonly face: GatewayExchange,
    private readonly most: number,
    private readonly make: BodyTransform,
  ) {}

  /** The body that a filter has asked for; undefined when none has, or the answer has no body. */
  static of(face: GatewayExchange, method: string): AnswerBody | undefined {
    const { transform, response } = face;
    if (transform === undefined || response === undefined) return undefined;
    face.transform = undefined;
    const { status, headers } = response;
    const bodiless = method === 'HEAD' || status === 204 || status === 304;
    forgetLength(headers.raw);
    return bodiless ? undefined : new AnswerBody(response, face, transform.most, transform.make);
  }

  /** Takes a piece; false when it is too much. */
  add(chunk: Buffer): boolean {
    this.size += chunk.length;
    this.chunks.push(chunk);
    return this.size <= this.most;
  }

  /** What the filter made of it. */
  async made(): Promise<Buffer> {
    return this.make(Buffer.concat(this.chunks), this.face);
  }
}

/** What is said of a body's bytes is not true of another's; a strong validator would promise them (RFC 9110, 8.8.1). */
function forgetLength(raw: string[]): void {
  for (let at = raw.length - 2; at >= 0; at -= 2) {
    const name = raw[at]?.toLowerCase() ?? '';
    const value = raw[at + 1] ?? '';
    if (
      /^(?:content-length|content-md5|digest|content-digest|repr-digest|accept-ranges)$/.test(name)
    )
      raw.splice(at, 2);
    else if (name === 'etag' && !value.startsWith('W/')) raw[at + 1] = `W/${value}`;
  }
}
