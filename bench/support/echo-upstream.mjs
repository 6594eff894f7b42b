// Accepts WebSockets and sends every byte back as it came; the answer of 101 says which instance it is.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const server = createServer((_request, response) => response.end('ok'));
server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'];
  const proof = createHash('sha1').update(`${key}${GUID}`).digest('base64');
  socket.on('error', () => socket.destroy());
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${proof}\r\nx-instance: ${process.env.PORT}\r\n\r\n`,
  );
  socket.pipe(socket);
});
server.listen(Number(process.env.PORT), '127.0.0.1');
