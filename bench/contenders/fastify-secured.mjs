import { peer } from '../support/peers.mjs';

const { PORT, UPSTREAMS, BENCH_PEM } = process.env;
const app = peer('fastify')();
await app.register(peer('@fastify/rate-limit'), { max: 1_000_000_000, timeWindow: '1 minute' });
await app.register(peer('@fastify/jwt'), {
  secret: { public: BENCH_PEM },
  verify: { algorithms: ['ES256', 'RS256'], allowedIss: 'bench', allowedAud: 'bench', cache: true },
});
await app.register(peer('@fastify/http-proxy'), {
  upstream: UPSTREAMS.split(',')[0],
  prefix: '/api',
  rewritePrefix: '/api',
  disableRequestLogging: true,
  preHandler: (request) => request.jwtVerify(),
  undici: { connections: 128, pipelining: 1 },
});
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
