import type { Client } from 'undici';
import { optionalPackage } from '../../common/optional-package.js';
import { type Channel, type ChannelOptions, Transport } from '../transport.js';
import { dial } from './dial.js';
import { UndiciChannel } from './undici-channel.js';

/** A connection is given up this much before its server would, in ms. */
const SAFETY = 1_000;
/** The longest head, as our own transport takes it. */
const LONGEST_HEAD = 65_536;

/** Makes the transport over undici, beside our own, which carries its tunnels. */
export type UndiciTransportMaker = (http1: Transport) => Transport;

/**
 * Loads undici.
 *
 * @throws InvalidOptionsError when it is not installed
 */
export async function loadUndiciTransport(): Promise<UndiciTransportMaker> {
  const undici = await optionalPackage(() => import('undici'), {
    name: 'undici',
    use: "An upstream has transport: 'undici'",
    remedy: "leave 'transport' out",
  });
  return (http1) => new UndiciTransport(undici.Client, http1);
}

/** undici's HTTP/1.1 client, over connections that are made as our own transport makes them. */
class UndiciTransport extends Transport {
  constructor(
    private readonly client: typeof Client,
    private readonly http1: Transport,
  ) {
    super();
  }

  override open(options: ChannelOptions): Channel {
    return new UndiciChannel(options, () => this.connect(options), this.http1.open(options));
  }

  private connect(options: ChannelOptions): Client {
    const { instance, keepAlive } = options;
    const host = instance.host.includes(':') ? `[${instance.host}]` : instance.host;
    const origin = `${instance.scheme}://${host}:${instance.port}`;
    return new this.client(origin, {
      pipelining: 1,
      keepAliveTimeout: keepAlive,
      keepAliveMaxTimeout: keepAlive,
      keepAliveTimeoutThreshold: SAFETY,
      // How long a call may take is watched by the call.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: LONGEST_HEAD,
      allowH2: false,
      connect: (_options, callback) => {
        const { socket, event } = dial(options);
        const onError = (error: Error) => callback(error, null);
        socket.setNoDelay(true);
        socket.once('error', onError);
        socket.once(event, () => {
          socket.off('error', onError);
          callback(null, socket);
        });
      },
    });
  }
}
