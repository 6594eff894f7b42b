// The packages that are measured beside ours: pinned, installed on demand, and no dependencies of this package.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The newest versions that run on Node 20. */
const VERSIONS = {
  '@fastify/http-proxy': '11.6.3',
  '@fastify/jwt': '10.2.8',
  '@fastify/rate-limit': '11.2.0',
  'fast-proxy': '2.2.0',
  fastify: '5.12.8',
  'http-proxy': '1.18.1',
  'http-proxy-middleware': '3.0.10',
};

const folder = new URL('../.peers/', import.meta.url);
const manifest = new URL('package.json', folder);
const done = new URL('installed.json', folder);

/** Installs the peers, unless these very versions are there already. */
export function installPeers() {
  const wanted = JSON.stringify({ private: true, dependencies: VERSIONS }, null, 2);
  if (existsSync(done) && readFileSync(done, 'utf8') === wanted) return;
  console.error('Installing the peers into bench/.peers');
  mkdirSync(folder, { recursive: true });
  writeFileSync(manifest, wanted);
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], {
    cwd: fileURLToPath(folder),
    stdio: ['ignore', 2, 2],
  });
  writeFileSync(done, wanted);
}

/** Loads a peer. */
export const peer = createRequire(manifest);
