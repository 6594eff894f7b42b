// By its undici mode, the faster of its two.
import { createServer } from 'node:http';
import { peer } from '../support/peers.mjs';

const { PORT, UPSTREAMS } = process.env;
const { proxy } = peer('fast-proxy')({
  base: UPSTREAMS.split(',')[0],
  undici: { connections: 128, pipelining: 1 },
});
createServer((request, response) => proxy(request, response, request.url, {})).listen(
  Number(PORT),
  '127.0.0.1',
);
