import type { Exchange } from './exchange.js';
import { ReaderDeadline } from './reader-deadline.js';
import { TotalDeadline } from './total-deadline.js';
import { UploadDeadline } from './upload-deadline.js';

/** The deadlines of an exchange that concern its client; most requests need none of them. */
export class ExchangeDeadlines {
  private sending: UploadDeadline | undefined = undefined;
  private reading: ReaderDeadline | undefined = undefined;
  private total: TotalDeadline | undefined = undefined;

  constructor(private readonly exchange: Exchange) {}

  /** For what the client sends. */
  get upload(): UploadDeadline {
    return (this.sending ??= new UploadDeadline(this.exchange));
  }

  /** For what the client reads. */
  get reader(): ReaderDeadline {
    const { socket, route } = this.exchange;
    const { upstream, timeouts } = route;
    return (this.reading ??= new ReaderDeadline(socket, upstream.deadlines, timeouts.readIdle));
  }

  limitTotal(): void {
    this.total = new TotalDeadline(this.exchange);
  }

  /** The client has read what was written. */
  onRead(): void {
    this.reading?.clear();
  }

  clear(): void {
    this.sending?.clear();
    this.reading?.clear();
    this.total?.clear();
  }
}
