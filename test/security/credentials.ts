import type { Credentials } from '../../lib/security/credentials.js';

/** The credentials of a request with some headers. */
export function withHeaders(
  headers: Readonly<Record<string, string>>,
  more: Partial<Credentials> = {},
): Credentials {
  return {
    method: 'GET',
    path: '/',
    address: '192.0.2.7',
    header: (name) => headers[name],
    certificate: () => undefined,
    ...more,
  };
}

export function bearer(token: string): Credentials {
  return withHeaders({ authorization: `Bearer ${token}` });
}
