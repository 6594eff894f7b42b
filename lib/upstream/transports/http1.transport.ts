import { type Channel, type ChannelOptions, Transport } from '../transport.js';
import type { Deadlines } from '../deadline-list.js';
import { FlushQueue } from '../flush-queue.js';
import { ConnectionPool } from './http1/connection-pool.js';

/** Our own HTTP/1.1: a keep-alive pool for each endpoint, over TCP or TLS. */
export class Http1Transport extends Transport {
  private readonly flushes = new FlushQueue();

  constructor(private readonly deadlines: Deadlines) {
    super();
  }

  override open(options: ChannelOptions): Channel {
    return new ConnectionPool(options, this.deadlines, this.flushes);
  }
}
