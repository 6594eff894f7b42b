import { IDENTITY_HEADER } from '../../security/identity/identity-token.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import { type RequestSink, UpstreamCall } from '../../upstream/upstream-call.js';
import type { GatewayExchange } from './gateway-exchange.js';

const TIMEOUT = 10_000;

/** Its length is said anew, and an identity was made for the service itself. */
const NOT_MIRRORED = new Set(['content-length', IDENTITY_HEADER]);

/** A copy of a request, whose answer nobody hears. */
export class MirrorCall extends UpstreamCall {
  override readonly method: string;
  override readonly hasBody: boolean;
  override readonly replayable = false;
  override readonly responseTimeout = TIMEOUT;
  private readonly text: string;

  constructor(
    exchange: GatewayExchange,
    private readonly body: Buffer,
    private readonly done: () => void,
  ) {
    super();
    this.method = exchange.method;
    this.hasBody = body.length > 0;
    let lines = '';
    for (const [name, value] of exchange.headers.entries())
      if (!NOT_MIRRORED.has(name.toLowerCase())) lines += `${name}: ${value}\r\n`;
    if (this.hasBody) lines += `content-length: ${body.length}\r\n`;
    this.text = `${lines}x-mirrored: 1\r\n`;
    this.target = exchange.target;
  }

  private readonly target: string;

  override head({ authority }: Endpoint): string {
    return `${this.method} ${this.target} HTTP/1.1\r\nhost: ${authority}\r\n${this.text}\r\n`;
  }

  override onConnected(sink: RequestSink): void {
    sink.write(this.body);
    sink.end();
  }

  override onHead(): void {}

  override onBody(): boolean {
    return true;
  }

  override onEnd(): void {
    this.done();
  }

  override onError(): void {
    this.done();
  }
}
