import { readFileSync } from 'node:fs';
import { messageOf } from '../../common/errors.js';
import { flag, group, optional, refuse, textOf } from '../../common/option-readers.js';

/** How a registry is spoken to over TLS. */
export interface RegistryTlsOptions {
  /** The certificates that sign the registry's, as PEM or as the path of a file. @default Node's own list */
  readonly ca?: string;
  /** Our certificate, as PEM or as the path of a file. @default none */
  readonly cert?: string;
  /** Its key, as PEM or as the path of a file. @default none */
  readonly key?: string;
  /** The name the registry's certificate must carry. @default the host of the address */
  readonly serverName?: string;
  /** Whether a certificate that cannot be verified is refused; `false` is for tests only. @default true */
  readonly verify?: boolean;
}

/** Reads the TLS options; files are read when the backend is made. */
export const readTls = group({
  ca: optional(textOf()),
  cert: optional(textOf()),
  key: optional(textOf()),
  serverName: optional(textOf()),
  verify: flag(true),
});

export type RegistryTls = ReturnType<typeof readTls>;

/** The TLS options in Node's words, with files read. */
export function tlsMaterial(tls: RegistryTls, path: string) {
  return {
    rejectUnauthorized: tls.verify,
    ...(tls.ca !== undefined && { ca: pem(tls.ca, `${path}.ca`) }),
    ...(tls.cert !== undefined && { cert: pem(tls.cert, `${path}.cert`) }),
    ...(tls.key !== undefined && { key: pem(tls.key, `${path}.key`) }),
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
  };
}

function pem(value: string, path: string): string {
  if (value.includes('-----BEGIN')) return value;
  try {
    return readFileSync(value, 'utf8');
  } catch (error) {
    return refuse(
      path,
      `cannot be read: ${messageOf(error)}`,
      'Give the path of a PEM file, or the PEM itself.',
    );
  }
}
