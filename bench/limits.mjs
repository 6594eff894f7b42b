// What rate limits cost, and what they let through when several gateways count together.
//
//   npm run bench:limits -- [--json FILE]
//
// 1. The local limiter: ns for a decision, and memory under a million keys.
// 2. Four gateway processes, one Redis, 20,000 requests at once for a limit of 5,000: how many get in.
// 3. Redis killed under load and started again: what becomes of requests, and how long until they are counted.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePorts } from './support/fleet.mjs';
import { median } from './support/report.mjs';
import { tool } from './support/tools.mjs';
import { TokenBucket } from '../dist/cjs/security/rate-limits/token-bucket.js';

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const GATEWAYS = 4;
const REQUESTS = 20_000;
const LIMIT = 5_000;
const CLIENTS = 32;
const children = new Set();
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));

const result = { local: local(), open: await shared('open'), closed: await shared('closed') };
if (values.json) writeFileSync(values.json, JSON.stringify(result, undefined, 2));
console.log(JSON.stringify(result, undefined, 2));
process.exit(0);

function local() {
  const now = performance.now.bind(performance);
  const bucket = new TokenBucket({ limit: 100, per: 60_000, burst: 100, most: 100_000, now });
  const few = Array.from({ length: 1_000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);
  const runs = Array.from({ length: 15 }, () => {
    const from = now();
    for (let at = 0; at < 500_000; at++) bucket.take(few[at % 1_000], 1);
    return ((now() - from) * 1e6) / 500_000;
  });
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const from = now();
  for (let at = 0; at < 1_000_000; at++) bucket.take(`key-${at}`, 1);
  const flood = ((now() - from) * 1e6) / 1_000_000;
  globalThis.gc?.();
  const growth = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  return { nsPerDecision: median(runs), nsPerNewKey: flood, growthMb: growth };
}

async function shared(whenDown) {
  const ports = await freePorts(GATEWAYS + 1);
  const redisPort = ports.pop();
  let redis = await startRedis(redisPort);
  const gateways = await Promise.all(ports.map((port) => startGateway(port, redisPort, whenDown)));
  const first = await load(ports, REQUESTS, 'one');
  const admitted = first[200] ?? 0;

  redis.kill('SIGKILL');
  await once(redis, 'exit');
  const down = await load(ports, 2_000, 'two');
  redis = await startRedis(redisPort);
  const from = performance.now();
  let recovered;
  // The new Redis knows nothing: it counts again when an answer says how much is left of the limit.
  while (recovered === undefined && performance.now() - from < 10_000) {
    const left = await Promise.all(ports.map((port) => remaining(port)));
    if (left.every((each) => each > 0)) recovered = performance.now() - from;
    else await pause(20);
  }
  for (const child of [...gateways, redis]) child.kill('SIGKILL');
  return {
    limit: LIMIT,
    answers: first,
    admitted,
    deviationPercent: ((admitted - LIMIT) / LIMIT) * 100,
    whileDown: down,
    countedAgainAfterMs: recovered,
  };
}

async function startRedis(port) {
  const child = spawn(tool('redis-server'), ['--port', port, '--bind', '127.0.0.1', '--save', ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  for await (const line of child.stdout) if (String(line).includes('Ready to accept')) break;
  child.stdout.resume();
  return child;
}

async function startGateway(port, redisPort, whenDown) {
  const file = fileURLToPath(new URL('contenders/limited-gateway.mjs', import.meta.url));
  const env = {
    ...process.env,
    PORT: String(port),
    WHEN_DOWN: whenDown,
    REDIS: `redis://127.0.0.1:${redisPort}`,
  };
  const child = spawn(process.execPath, [file], {
    env: { ...env, LIMIT: String(LIMIT) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  await once(child.stdout, 'data');
  child.stdout.resume();
  return child;
}

/** So many requests, spread over all gateways and clients; how often each status came. */
async function load(ports, count, client) {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const statuses = {};
  let next = 0;
  const visit = async () => {
    while (next < count) {
      const { status } = await ask(ports[next++ % ports.length], client, agent);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS * ports.length }, visit));
  agent.destroy();
  return statuses;
}

async function remaining(port) {
  const { headers } = await ask(port, 'three');
  return Number(headers?.['ratelimit-remaining'] ?? 0);
}

function ask(port, client, agent) {
  return new Promise((resolve) => {
    const headers = { 'x-client': client };
    get({ host: '127.0.0.1', port, path: '/api/small', headers, agent }, (answer) => {
      answer
        .resume()
        .on('end', () => resolve({ status: answer.statusCode, headers: answer.headers }));
    }).on('error', (error) => resolve({ status: error.code }));
  });
}
