// With an agent that keeps connections; its default opens one for each request.
import { Agent, createServer } from 'node:http';
import { peer } from '../support/peers.mjs';

const { PORT, UPSTREAMS } = process.env;
const proxy = peer('http-proxy').createProxyServer({
  target: UPSTREAMS.split(',')[0],
  agent: new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256, scheduling: 'lifo' }),
  xfwd: true,
});
proxy.on('error', (_error, _request, response) => response.writeHead?.(502).end());
createServer((request, response) => proxy.web(request, response)).listen(Number(PORT), '127.0.0.1');
