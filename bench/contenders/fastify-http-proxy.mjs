import { peer } from '../support/peers.mjs';

const { PORT, UPSTREAMS } = process.env;
const app = peer('fastify')();
app.register(peer('@fastify/http-proxy'), {
  upstream: UPSTREAMS.split(',')[0],
  prefix: '/api',
  rewritePrefix: '/api',
  disableRequestLogging: true,
  undici: { connections: 128, pipelining: 1 },
});
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
