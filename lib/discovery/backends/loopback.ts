import { isIPv6 } from 'node:net';

/** Whether a host name or address never leaves this machine. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  if (isIPv6(name)) return name === '::1' || name.startsWith('::ffff:127.');
  return /^127(\.\d{1,3}){3}$/.test(name);
}
