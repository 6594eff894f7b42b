import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ChannelOptions } from '../transport.js';

/** A socket on its way to an endpoint, and the event after which bytes may be sent. */
export interface Dialled {
  readonly socket: Socket;
  readonly event: 'connect' | 'secureConnect';
}

/** Connects to an endpoint, by TLS where its scheme says so; its certificate is verified. */
export function dial({ instance, tls }: Pick<ChannelOptions, 'instance' | 'tls'>): Dialled {
  const { host, port, scheme } = instance;
  if (scheme !== 'https') return { socket: connectTcp({ host, port }), event: 'connect' };
  const { ca, cert, key } = tls;
  const socket = connectTls({
    host,
    port,
    ca,
    cert,
    key,
    // SNI carries names only (RFC 6066, 3).
    ...(isIP(host) ? {} : { servername: host }),
    ALPNProtocols: ['http/1.1'],
  });
  return { socket, event: 'secureConnect' };
}
