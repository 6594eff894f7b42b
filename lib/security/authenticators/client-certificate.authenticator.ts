import type { PeerCertificate } from 'node:tls';
import { group, list, oneOf, optional, textOf } from '../../common/option-readers.js';
import { Authenticator } from '../authenticator.js';
import type { Credentials } from '../credentials.js';
import type { Principal } from '../principal.js';
import { InvalidCredentialsError } from '../security.errors.js';

/** Which client certificates are let in. */
export interface ClientCertificateOptions {
  /**
   * What of the certificate names the sender: its common name, an alternative name (a URI as SPIFFE has it, a DNS name, an
   * e-mail address), or its SHA-256 fingerprint. @default 'cn'
   */
  readonly subject?: 'cn' | 'uri' | 'dns' | 'email' | 'fingerprint';
  /** The senders that are let in. @default all that the CA has signed */
  readonly allow?: readonly string[];
  /** @default none */
  readonly scopes?: readonly string[];
  /** @default none */
  readonly roles?: readonly string[];
}

const read = group({
  subject: oneOf(['cn', 'uri', 'dns', 'email', 'fingerprint'], 'cn'),
  allow: optional(list(textOf())),
  scopes: list(textOf()),
  roles: list(textOf()),
});

/**
 * Believes the certificate that a client showed in its TLS handshake (mutual TLS).
 *
 * The server itself must ask for one and know who may sign it, by Nest's own `httpsOptions`: `requestCert: true` and
 * `ca`; with `rejectUnauthorized: false` there, others may come without one.
 *
 * @example
 * clientCertificate({ subject: 'uri', allow: ['spiffe://shop/orders'] })
 */
export function clientCertificate(options: ClientCertificateOptions = {}): Authenticator {
  return new ClientCertificateAuthenticator(options);
}

class ClientCertificateAuthenticator extends Authenticator {
  override readonly name = 'client-certificate';
  private readonly settings: ReturnType<typeof read>;
  /** One handshake serves many requests. */
  private readonly known = new WeakMap<PeerCertificate, Principal>();

  constructor(options: ClientCertificateOptions) {
    super();
    this.settings = read(options, 'clientCertificate');
  }

  override authenticate(credentials: Credentials): Principal | undefined {
    const certificate = credentials.certificate();
    if (certificate === undefined) return undefined;
    const known = this.known.get(certificate) ?? this.read(certificate);
    this.known.set(certificate, known);
    return known;
  }

  private read(certificate: PeerCertificate): Principal {
    const { subject: part, allow, scopes, roles } = this.settings;
    const subject = subjectOf(certificate, part);
    if (subject === undefined)
      throw new InvalidCredentialsError(`The certificate has no ${part} to name its owner.`);
    if (allow && !allow.includes(subject))
      throw new InvalidCredentialsError(`The certificate of '${subject}' is not let in.`);
    const claims = { fingerprint: certificate.fingerprint256, serial: certificate.serialNumber };
    return { subject, issuer: 'client-certificate', scopes, roles, claims };
  }
}

function subjectOf(certificate: PeerCertificate, part: string): string | undefined {
  if (part === 'fingerprint') return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  if (part === 'cn') {
    // Of several names none could be told to be the one.
    const name: unknown = certificate.subject?.CN;
    return typeof name === 'string' && name !== '' ? name : undefined;
  }
  const prefix = { uri: 'URI:', dns: 'DNS:', email: 'email:' }[part] as string;
  const all = certificate.subjectaltname ?? '';
  // Node quotes a name that holds a comma, which could pretend to be two (CVE-2021-44532); no honest one does.
  if (all.includes('"')) return undefined;
  const names = all.split(', ');
  const found = names.filter((name) => name.startsWith(prefix));
  return found.length === 1 ? found[0]?.slice(prefix.length) : undefined;
}
