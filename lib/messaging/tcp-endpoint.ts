import type { Clock } from '../common/clock.js';
import type { ServiceInstance } from '../discovery/service-instance.js';
import { Endpoint } from '../load-balancing/endpoint.js';
import { TcpConnection } from './tcp-connection.js';

/** An instance that takes messages, and our connection to it. */
export class TcpEndpoint extends Endpoint {
  private connection: TcpConnection | undefined;
  private connecting: Promise<TcpConnection> | undefined;
  private retired = false;

  constructor(
    instance: ServiceInstance,
    private readonly clock: Clock,
    private readonly connectTimeout: number,
  ) {
    super(instance);
  }

  /** Where it takes messages, or `undefined` when it has not said so. */
  get tcpPort(): number | undefined {
    return this.instance.ports['tcp'];
  }

  /** The connection, if there is one that can be used at once. */
  get open(): TcpConnection | undefined {
    return this.connection?.isOpen ? this.connection : undefined;
  }

  /** Connects; whoever asks meanwhile shares the outcome. */
  connect(): Promise<TcpConnection> {
    this.connecting ??= this.openConnection().finally(() => (this.connecting = undefined));
    return this.connecting;
  }

  /** A call has ended; the last one of an instance that is gone closes the connection. */
  release(): void {
    if (this.retired && this.active === 0) this.connection?.close();
  }

  override retire(): void {
    this.retired = true;
    this.release();
  }

  private async openConnection(): Promise<TcpConnection> {
    const { host } = this.instance;
    const connection = await TcpConnection.open(
      host,
      this.tcpPort ?? 0,
      this.clock,
      this.connectTimeout,
    );
    this.connection = connection;
    // Everybody who waited may have gone, and the instance too.
    if (this.retired && this.active === 0) connection.close();
    return connection;
  }
}
