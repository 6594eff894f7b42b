import type { PeerCertificate } from 'node:tls';

/** What a request shows of its sender: its head and its connection, never its body. */
export interface Credentials {
  readonly method: string;
  /** The canonical path. */
  readonly path: string;
  /** The client's address, behind trusted proxies. */
  readonly address: string;
  /** The first header of a name in small letters. */
  header(name: string): string | undefined;
  /** The certificate that the client showed and the server's CA has signed; undefined when there is none. */
  certificate(): PeerCertificate | undefined;
}
