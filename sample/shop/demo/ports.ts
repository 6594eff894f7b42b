import { once } from 'node:events';
import { createServer } from 'node:net';

/** Throws one clear sentence when a port is taken. */
export async function assertFree(port: number, variable: string): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(port), 'listening');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    throw new Error(
      reason === 'EADDRINUSE'
        ? `Port ${port} is in use by another program. Stop it, or choose another port with ${variable}=${port + 1}.`
        : `Port ${port} cannot be used (${reason}). Choose another with ${variable}.`,
      { cause: error },
    );
  } finally {
    server.close();
  }
}

/** A port nobody uses at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return address.port;
}
