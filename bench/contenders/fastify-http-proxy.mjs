import { peer } from '../support/peers.mjs';

// The benches lead `/api` on; a judge leads everything on, WebSockets too.
const { PORT, UPSTREAMS, PREFIX = '/api' } = process.env;
const app = peer('fastify')();
app.register(peer('@fastify/http-proxy'), {
  upstream: UPSTREAMS.split(',')[0],
  prefix: PREFIX,
  rewritePrefix: PREFIX,
  websocket: PREFIX === '/',
  disableRequestLogging: true,
  undici: { connections: 128, pipelining: 1 },
});
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
