// Runs the tables against another proxy, which shows that they find faults.
//
//   npm run conformance -- --against nginx              starts nginx in front of the origin
//   npm run conformance -- --against haproxy            the same with HAProxy
//   npm run conformance -- --against fastify            the same with @fastify/http-proxy
//   npm run conformance -- --against 8080 --origin 9100 a proxy on 8080 that leads everything to 127.0.0.1:9100
//
// With --all also the rows that are this gateway's own policy, with --json as JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installPeers } from '../../../bench/support/peers.mjs';
import { tool } from '../../../bench/support/tools.mjs';
import { TABLES } from './cases/all.mjs';
import { Origin, runCase } from './conformance.mjs';

const CONFIGS = {
  nginx: (
    port,
    origin,
    folder,
  ) => `daemon off; pid ${folder}/pid; error_log /dev/null; worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  map $http_upgrade $connection_line { default upgrade; '' ''; }
  upstream origin { server 127.0.0.1:${origin} max_fails=0; keepalive 16; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://origin; proxy_http_version 1.1; 
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_line; }
  }
}`,
  haproxy: (port, origin) => `defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend in
  bind 127.0.0.1:${port}
  default_backend origin
backend origin
  http-reuse safe
  server one 127.0.0.1:${origin}
`,
};
const ARGUMENTS = {
  nginx: (folder, file) => ['-p', folder, '-c', file],
  haproxy: (_folder, file) => ['-f', file],
};
const FASTIFY = fileURLToPath(
  new URL('../../../bench/contenders/fastify-http-proxy.mjs', import.meta.url),
);
const NAMES = [...Object.keys(CONFIGS), 'fastify'];

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

async function listens(port) {
  for (let tries = 0; tries < 200; tries++) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`Nobody listens on port ${port}.`);
}

async function start(name, originPort) {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  const port = await freePort();
  const child =
    name === 'fastify'
      ? startFastify(port, originPort)
      : await startConfigured({ name, port, originPort, folder });
  await listens(port);
  const stop = async () => {
    if (child.exitCode === null) {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  return { port, child, stop };
}

async function startConfigured({ name, port, originPort, folder }) {
  const file = join(folder, 'config');
  await writeFile(file, CONFIGS[name](port, originPort, folder));
  return spawn(tool(name), ARGUMENTS[name](folder, file), { stdio: 'ignore' });
}

function startFastify(port, originPort) {
  installPeers();
  const UPSTREAMS = `http://127.0.0.1:${originPort}`;
  const env = { ...process.env, PORT: String(port), UPSTREAMS, PREFIX: '/' };
  return spawn(process.execPath, [FASTIFY], { stdio: 'ignore', env });
}

async function judge(rows, origin, port) {
  const faults = [];
  for (const [table, row] of rows) {
    const problems = await runCase(row, origin, port);
    if (problems.length > 0) faults.push({ table, name: row.name, problems });
  }
  return faults;
}

const { values } = parseArgs({
  options: {
    against: { type: 'string', default: '' },
    origin: { type: 'string' },
    all: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const { against } = values;
const isKnown = NAMES.includes(against);
if (!isKnown && !(Number(against) > 0 && Number(values.origin) > 0)) {
  console.error(`Say --against ${NAMES.join(', ')}, or a port with --origin and another.`);
  process.exit(2);
}
const origin = new Origin();
const originPort = await origin.listen(isKnown ? 0 : Number(values.origin));
const judged = isKnown
  ? await start(against, originPort)
  : { port: Number(against), stop: () => {} };
const every = Object.entries(TABLES).flatMap(([table, rows]) => rows.map((row) => [table, row]));
const rows = values.all ? every : every.filter(([, row]) => !row.ours);
const faults = await judge(rows, origin, judged.port);
if (values.json) console.log(JSON.stringify({ cases: rows.length, faults }));
else {
  for (const { table, name, problems } of faults)
    console.log(`${table}: ${name}\n    ${problems.join('\n    ')}`);
  console.log(`${faults.length} of ${rows.length} cases are wrong.`);
}
if (judged.child?.exitCode > 0) console.error('It ended on the way.');
await judged.stop();
await origin.end();
