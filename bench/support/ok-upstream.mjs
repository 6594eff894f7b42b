// Answers every request, in a process of its own.
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1', () =>
  process.send({ port: server.address().port }),
);
process.on('disconnect', () => process.exit());
