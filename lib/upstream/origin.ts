import { InvalidOptionsError } from '../common/errors.js';
import type { ServiceInstance } from '../discovery/service-instance.js';

const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/** The instance that a fixed origin such as `http://10.0.0.7:3000` stands for; throws when it is none. */
export function instanceAt(origin: string): ServiceInstance {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const scheme = url?.protocol === 'https:' ? 'https' : 'http';
  // Compared as a whole: whatever is more than an origin, such as a path or a password, would be lost silently.
  if (!url || url.origin === 'null' || url.protocol !== `${scheme}:` || !isBare(url)) {
    throw new InvalidOptionsError(
      `'${origin}' is no origin. Write it like 'http://10.0.0.7:3000', with nothing behind the port.`,
    );
  }
  return {
    id: url.origin,
    service: url.origin,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULT_PORTS[scheme] : Number(url.port),
    ports: {},
    scheme,
    status: 'up',
    weight: 1,
    tags: [],
    metadata: {},
  };
}

function isBare(url: URL): boolean {
  return url.pathname === '/' && url.search + url.hash + url.username + url.password === '';
}
