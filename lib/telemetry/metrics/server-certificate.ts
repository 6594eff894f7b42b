import { X509Certificate } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Measurement, MeasurementSource } from '../../common/measurements.js';
import { RequestListener } from '../../common/request-listener.js';

/** When the certificate of this service's own server ends, if it speaks TLS. */
@Injectable()
export class ServerCertificate extends MeasurementSource {
  constructor(private readonly listener: RequestListener) {
    super();
  }

  override *measure(): Iterable<Measurement> {
    // Node keeps what the server was given, also after `setSecureContext`; its types do not tell.
    const { cert } = (this.listener.server ?? {}) as { readonly cert?: unknown };
    const first: unknown = Array.isArray(cert) ? cert[0] : cert;
    if (typeof first !== 'string' && !Buffer.isBuffer(first)) return;
    const value = Date.parse(new X509Certificate(first).validTo) / 1_000;
    yield { name: 'certificate.expiry', value, labels: { use: 'server', of: 'self' } };
  }
}
