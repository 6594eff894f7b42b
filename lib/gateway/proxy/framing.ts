import type { RequestHead } from './request-head.js';

/** How a request's body is delimited. */
export type Framing = 'none' | 'length' | 'chunked';

const HOST = /^(?:\[[\da-f:.]{2,45}\]|[\w.-]{1,255})(?::\d{1,5})?$/i;
const NOTHING_ODD = /^\d{1,15}$/;

/** What a request's head says of itself; one object serves all requests, because it is read at once. */
export class RequestFraming {
  body: Framing = 'none';
  /** The length of the body where it is known. */
  length = 0;
  /** The one `Host`, as it came; empty only for HTTP/1.0. */
  host = '';
  /** How many bytes the header lines have. */
  size = 0;
  private lengths = 0;
  private hosts = 0;
  private credentials = 0;
  private encodings = 0;
  private isSound = true;

  /**
   * Judges the header lines as they came, because Node's own view of them hides what matters; false means 400.
   *
   * Two readers that frame a request differently let one client put words in another's mouth (RFC 9112, 11.2).
   */
  read(request: RequestHead): boolean {
    this.body = 'none';
    this.length = this.lengths = this.hosts = this.credentials = this.encodings = this.size = 0;
    this.host = '';
    this.isSound = request.httpVersionMajor === 1 && request.httpVersionMinor <= 1;
    const { rawHeaders } = request;
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] as string;
      const value = rawHeaders[at + 1] as string;
      this.size += name.length + value.length + 4;
      this.see(name, value);
    }
    const oldest = request.httpVersionMinor === 0;
    if (this.hosts === 0 && !oldest) return false;
    // Transfer-Encoding came with HTTP/1.1 (RFC 9112, 6.1).
    if (this.encodings > 0 && (this.lengths > 0 || oldest)) return false;
    return this.isSound;
  }

  private see(name: string, value: string): void {
    if (name.length === 4) this.seeHost(name, value);
    else if (name.length === 13) this.seeCredentials(name);
    else if (name.length === 14) this.seeLength(name, value);
    else if (name.length === 17) this.seeEncoding(name, value);
  }

  private seeHost(name: string, value: string): void {
    if (name.toLowerCase() !== 'host') return;
    this.host = value;
    if (++this.hosts > 1 || !HOST.test(value)) this.isSound = false;
  }

  private seeCredentials(name: string): void {
    if (name.toLowerCase() === 'authorization' && ++this.credentials > 1) this.isSound = false;
  }

  private seeLength(name: string, value: string): void {
    if (name.toLowerCase() !== 'content-length') return;
    if (++this.lengths > 1 || !NOTHING_ODD.test(value)) this.isSound = false;
    this.length = Number(value);
    this.body = this.length > 0 ? 'length' : 'none';
  }

  private seeEncoding(name: string, value: string): void {
    if (name.toLowerCase() !== 'transfer-encoding') return;
    if (++this.encodings > 1 || value.toLowerCase() !== 'chunked') this.isSound = false;
    this.body = 'chunked';
  }
}
