// Who is measured, and how each is started.
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { tool } from './tools.mjs';

const ours = { file: 'rookery.mjs' };

/** All contenders by name; `note` is what the table says of them. */
export const CONTENDERS = {
  nginx: { config: 'nginx.conf', note: 'one worker, no access log' },
  haproxy: { config: 'haproxy.cfg', note: 'one thread, no access log' },
  rookery: {
    ...ours,
    note: 'Nest-Express, 4 instances: header rewriting, balancing, circuit, deadlines, histogram, access log',
  },
  'rookery lane 1': {
    ...ours,
    env: { FAST_LANE: 'off' },
    note: "as rookery, by Node's own request and response",
  },
  'rookery, uncounted': {
    ...ours,
    env: { METRICS: 'off' },
    note: 'as rookery, without the histogram',
  },
  'rookery, metrics on': {
    ...ours,
    env: { METRICS: 'on' },
    note: 'as rookery, with `metrics: true` in place of the histogram',
  },
  'rookery, never traced': {
    ...ours,
    env: { TRACING: 'off' },
    note: 'as rookery, with `tracing: false`; without an SDK it is never asked either',
  },
  'rookery features off': {
    ...ours,
    env: { FEATURES: 'off' },
    note: 'one fixed origin, header rewriting only',
  },
  'rookery on Fastify': { ...ours, env: { ADAPTER: 'fastify' }, note: 'as rookery' },
  'fast-proxy': { file: 'fast-proxy.mjs', note: 'undici mode' },
  '@fastify/http-proxy': { file: 'fastify-http-proxy.mjs', note: 'undici, 128 connections' },
  'rookery, secured': {
    ...ours,
    env: { SECURITY: 'on' },
    secured: true,
    note: 'as rookery, with jwt() and a rate limit on each request',
  },
  '@fastify/http-proxy, secured': {
    file: 'fastify-secured.mjs',
    secured: true,
    note: 'with @fastify/jwt (its cache on) and @fastify/rate-limit',
  },
  'http-proxy': { file: 'http-proxy.mjs', note: 'keep-alive agent' },
  'http-proxy-middleware': {
    file: 'http-proxy-middleware.mjs',
    note: 'Nest-Express, keep-alive agent',
  },
};

/** Starts a contender on a core; `origins` are the upstream's, of which most contenders take the first. */
export function startContender(fleet, name, { core, port, origins, node }) {
  const { file, config, env } = CONTENDERS[name];
  const variables = { ...env, PORT: String(port), UPSTREAMS: origins.join() };
  if (file) return fleet.start(name, core, [node, pathOf(file)], variables);
  const upstream = new URL(origins[0]).host;
  const path = writeConfig(fleet, config, { port, upstream });
  const command =
    name === 'nginx'
      ? [tool('nginx'), '-p', fleet.folder, '-c', path]
      : [tool('haproxy'), '-db', '-f', path];
  return fleet.start(name, core, command);
}

/** Fills a configuration in; gives its path. */
export function writeConfig(fleet, file, values) {
  const path = join(fleet.folder, file.split('/').at(-1));
  const known = {
    ...values,
    folder: fleet.folder,
    user: process.getuid?.() === 0 ? 'root' : 'nobody',
  };
  const text = readFileSync(pathOf(file), 'utf8');
  writeFileSync(
    path,
    text.replaceAll(/\{(\w+)\}/g, (all, key) => String(known[key] ?? all)),
  );
  return path;
}

/** Waits until a request is answered with a status and a body; throws the last reason why not. */
export async function untilRight(port, path, right, patience = 10_000) {
  const until = Date.now() + patience;
  for (;;) {
    const problem = await ask(port, path).then(
      (answer) =>
        right(answer) ? undefined : `it answered ${answer.status}, ${answer.body.length} bytes`,
      (error) => error.message,
    );
    if (problem === undefined) return;
    if (Date.now() > until) throw new Error(problem);
    await pause(100);
  }
}

function ask(port, path) {
  const { BENCH_AUTHORIZATION: authorization } = process.env;
  const headers = authorization === undefined ? {} : { authorization };
  return new Promise((resolve, reject) => {
    const request = get(
      { host: '127.0.0.1', port, path, headers, agent: false, timeout: 1_000 },
      (answer) => {
        let body = '';
        answer.setEncoding('latin1');
        answer.on('data', (chunk) => (body += chunk));
        answer.on('end', () => resolve({ status: answer.statusCode, body }));
        answer.on('error', reject);
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer within 1 s')));
    request.on('error', reject);
  });
}

const pathOf = (file) => fileURLToPath(new URL(`../contenders/${file}`, import.meta.url));
