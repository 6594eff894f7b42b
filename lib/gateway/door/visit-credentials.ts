import type { TLSSocket } from 'node:tls';
import type { Credentials } from '../../security/credentials.js';
import { clientCertificateOf } from '../../security/request-credentials.js';
import { headerOf } from '../proxy/headers.js';
import type { Visit } from './visit.js';

/** What a visit shows of its sender. */
export function visitCredentials(visit: Visit): Credentials {
  return new VisitCredentials(visit);
}

class VisitCredentials implements Credentials {
  constructor(private readonly visit: Visit) {}

  get method(): string {
    return this.visit.method;
  }

  get path(): string {
    return this.visit.path;
  }

  get address(): string {
    return this.visit.clientAddress;
  }

  header(name: string): string | undefined {
    return headerOf(this.visit.rawHeaders, name);
  }

  certificate() {
    return clientCertificateOf(this.visit.socket as TLSSocket);
  }
}
