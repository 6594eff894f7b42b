import type { IncomingMessage } from 'node:http';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Credentials } from './credentials.js';

/** What a request of Node's HTTP server shows of its sender. */
export function requestCredentials(request: IncomingMessage): Credentials {
  return {
    method: request.method ?? 'GET',
    path: (request.url ?? '/').split('?', 1)[0] as string,
    address: request.socket.remoteAddress ?? '',
    header: (name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : value?.[0];
    },
    certificate: () => clientCertificateOf(request.socket as TLSSocket),
  };
}

const CERTIFICATE = Symbol('rookery.certificate');

type KnownSocket = TLSSocket & { [CERTIFICATE]?: PeerCertificate | false };

/** The certificate of a connection's client that the server's own CA has signed; read once for each connection. */
export function clientCertificateOf(socket: TLSSocket): PeerCertificate | undefined {
  if (typeof socket.getPeerCertificate !== 'function' || !socket.authorized) return undefined;
  const known = socket as KnownSocket;
  known[CERTIFICATE] ??= read(socket);
  return known[CERTIFICATE] || undefined;
}

function read(socket: TLSSocket): PeerCertificate | false {
  const certificate = socket.getPeerCertificate();
  // Node gives an empty object when there is none.
  return Object.keys(certificate ?? {}).length > 0 && certificate;
}
