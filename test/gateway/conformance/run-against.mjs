// Runs the tables against another proxy, which shows that they find faults.
//
//   node test/gateway/conformance/run-against.mjs nginx            starts nginx in front of the origin
//   node test/gateway/conformance/run-against.mjs haproxy          the same with HAProxy
//   node test/gateway/conformance/run-against.mjs 8080 9100        a proxy on 8080 that leads everything to 127.0.0.1:9100
//
// With --all also the rows that are this gateway's own policy, with --json as JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const file = join(folder, 'config');
  const port = await freePort();
  await writeFile(file, CONFIGS[name](port, originPort, folder));
  const child = spawn(name, ARGUMENTS[name](folder, file), { stdio: 'ignore' });
  await listens(port);
  const stop = async () => {
    child.kill();
    await once(child, 'exit');
    await rm(folder, { recursive: true, force: true });
  };
  return { port, stop };
}

async function judge(rows, origin, port) {
  const faults = [];
  for (const [table, row] of rows) {
    const problems = await runCase(row, origin, port);
    if (problems.length > 0) faults.push({ table, name: row.name, problems });
  }
  return faults;
}

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const isKnown = Object.hasOwn(CONFIGS, words[0] ?? '');
if (!isKnown && words.length !== 2) {
  console.error('Name nginx or haproxy, or the ports of the proxy and of the origin.');
  process.exit(2);
}
const origin = new Origin();
const originPort = await origin.listen(isKnown ? 0 : Number(words[1]));
const { port, stop } = isKnown
  ? await start(words[0], originPort)
  : { port: Number(words[0]), stop: () => {} };
const every = Object.entries(TABLES).flatMap(([table, rows]) => rows.map((row) => [table, row]));
const rows = process.argv.includes('--all') ? every : every.filter(([, row]) => !row.ours);
const faults = await judge(rows, origin, port);
if (process.argv.includes('--json')) console.log(JSON.stringify({ cases: rows.length, faults }));
else {
  for (const { table, name, problems } of faults)
    console.log(`${table}: ${name}\n    ${problems.join('\n    ')}`);
  console.log(`${faults.length} of ${rows.length} cases are wrong.`);
}
await stop();
await origin.end();
