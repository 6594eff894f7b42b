// The load: wrk as fast as it goes, or a client of our own at a fixed rate. Both tell requests, p50 and p99 in ms.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { tool } from './tools.mjs';

const inThisFolder = (file) => fileURLToPath(new URL(file, import.meta.url));

/** wrk with 64 connections and the headers of a browser. */
export async function fullLoad({ core, port, path, method, seconds }) {
  const args = [
    '-t1',
    '-c64',
    `-d${seconds}s`,
    '--latency',
    '-s',
    inThisFolder(`${method.toLowerCase()}.lua`),
  ];
  const output = await run(core, [tool('wrk'), ...args, `http://127.0.0.1:${port}${path}`]);
  const number = (pattern) => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  return {
    requests: number(/(\d+) requests in/),
    rps: number(/Requests\/sec:\s+([\d.]+)/),
    p50: milliseconds(/^\s+50%\s+(\S+)/m.exec(output)?.[1]),
    p99: milliseconds(/^\s+99%\s+(\S+)/m.exec(output)?.[1]),
    errors: /Socket errors:.*|Non-2xx.*/.exec(output)?.[0] ?? '',
  };
}

/** So many requests a second, whatever becomes of those before. */
export async function steadyLoad({ core, port, path, seconds, rate }) {
  const args = [port, path, seconds, rate].map(String);
  return JSON.parse(
    await run(core, [process.execPath, inThisFolder('steady-client.mjs'), ...args]),
  );
}

function run(core, command) {
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', ['-c', String(core), ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}

const UNITS = { us: 0.001, ms: 1, s: 1_000 };

function milliseconds(text) {
  const [, number, unit] = /^([\d.]+)(us|ms|s)$/.exec(text ?? '') ?? [];
  return number === undefined ? Number.NaN : Number(number) * UNITS[unit];
}
