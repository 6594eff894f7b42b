import { createSocket } from 'node:dgram';
import type { Clock } from '../common/clock.js';

/** How long a look-up of the registry's name may take, in ms: the start must not wait for it. */
const LIMIT = 1_000;

/**
 * The address from which this machine reaches another: the system chooses it when a UDP socket is connected, and sends nothing.
 *
 * Undefined when there is no way, or the name is not known within a second.
 */
export async function sourceAddressTo(
  { host, port }: { readonly host: string; readonly port: number },
  clock: Clock,
): Promise<string | undefined> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const limit = new AbortController();
  try {
    const connected = new Promise<string | undefined>((resolve) => {
      socket.once('error', () => resolve(undefined));
      socket.connect(port, host, (error?: Error) => {
        resolve(error ? undefined : socket.address().address);
      });
    });
    const late = clock.sleep(LIMIT, limit.signal).then(() => undefined);
    return await Promise.race([connected, late]);
  } finally {
    limit.abort();
    socket.on('error', () => {});
    socket.close();
  }
}
