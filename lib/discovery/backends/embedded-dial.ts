import { connect, type Socket } from 'node:net';
import type { Clock } from '../../common/clock.js';

interface Destination {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
}

/** How long a connection may take to come, and how long the greeting, in ms. */
export const HANDSHAKE = 2_000;

/** Opens a connection to whoever listens. */
export function dial({ host, port, clock }: Destination): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: dialled(host), port });
    const cancel = clock.after(HANDSHAKE, () => socket.destroy(new Error('no connection came')));
    const give = (finish: () => void) => {
      cancel();
      socket.removeAllListeners('error');
      finish();
    };
    socket.once('error', (error) => give(() => reject(error)));
    socket.once('connect', () =>
      give(() => {
        // A connection from a port to itself is possible in TCP when nobody listens; it is nobody.
        if (socket.localPort === port && socket.localAddress === socket.remoteAddress) {
          socket.destroy();
          reject(Object.assign(new Error('nobody listens'), { code: 'ECONNREFUSED' }));
        } else resolve(socket);
      }),
    );
  });
}

/** The address that reaches a host which listens on all its addresses. */
function dialled(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
