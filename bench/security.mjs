// What it costs to know the sender of each request and to count it: the gateway with and without, beside
// @fastify/http-proxy with and without @fastify/jwt and @fastify/rate-limit. Once with ES256, once with RS256.
//
//   npm run bench:security -- [what bench:gateway takes]
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { exportJWK, SignJWT } from 'jose';

const NAMES = [
  'rookery',
  'rookery, secured',
  '@fastify/http-proxy',
  '@fastify/http-proxy, secured',
];
const PAIRS = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2_048 }),
};
const bench = fileURLToPath(new URL('gateway.mjs', import.meta.url));

for (const [alg, make] of Object.entries(PAIRS)) {
  const { privateKey, publicKey } = make();
  const jwk = { ...(await exportJWK(publicKey)), alg, use: 'sig', kid: alg };
  const token = await new SignJWT({ scope: 'items:read' })
    .setProtectedHeader({ alg, kid: alg })
    .setIssuer('bench')
    .setAudience('bench')
    .setSubject('bench')
    .setExpirationTime('1h')
    .sign(privateKey);
  console.log(`\n# ${alg}\n`);
  const args = [bench, '--scenarios', 'small', '--only', NAMES.join(';'), ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, args, {
    stdio: 'inherit',
    env: {
      ...process.env,
      BENCH_AUTHORIZATION: `Bearer ${token}`,
      BENCH_KEYS: JSON.stringify({ keys: [jwk] }),
      BENCH_PEM: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    },
  });
  if (status !== 0) process.exit(status ?? 1);
}
