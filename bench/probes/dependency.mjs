// What the service depends on; tells its parent of each time it is asked.
import { createServer } from 'node:http';

const server = createServer((_request, response) => {
  process.send('asked');
  response.end('ok');
});
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.send('listening'));
process.on('disconnect', () => process.exit());
