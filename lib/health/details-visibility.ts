import type { IncomingMessage } from 'node:http';
import type { HealthDetails } from './health.options.js';

/** What a proxy adds to a request that it passes on. */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/** IPv4 127.0.0.0/8, also as IPv6 writes it, and ::1. */
const LOOPBACK = /^(?:(?:::ffff:)?127\.\d+\.\d+\.\d+|::1)$/;

/**
 * Whether the one who asks is told more than the status.
 *
 * A gateway on the same machine makes every stranger look local, so whoever came through a proxy is a stranger.
 */
export function seesDetails(setting: HealthDetails, request: IncomingMessage): boolean {
  if (setting !== 'local') return setting === 'always';
  const { remoteAddress = '' } = request.socket;
  return LOOPBACK.test(remoteAddress) && !PROXY_HEADERS.some((name) => name in request.headers);
}
