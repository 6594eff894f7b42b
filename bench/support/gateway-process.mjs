import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';

const PROGRAM = fileURLToPath(new URL('consul-gateway.mjs', import.meta.url));

/** Starts a gateway on an agent; what it is asked it answers from its own process. */
export async function startGateway(url, count = 0, token) {
  const args = [url, String(count), ...(token === undefined ? [] : [token])];
  const child = fork(PROGRAM, args, { execArgv: ['--expose-gc'] });
  const waiting = new Map();
  let last = 0;
  child.on('message', ({ id, answer }) => waiting.get(id)?.(answer));
  const [{ port }] = await once(child, 'message');
  return {
    port,
    pid: child.pid,
    ask: (ask) =>
      new Promise((resolve) => {
        waiting.set(++last, resolve);
        child.send({ id: last, ask });
      }),
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Sends so many requests a second until it is stopped; then how many there were, how many failed, and the times. */
export function load(port, perSecond) {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const times = [];
  const failures = [];
  let sent = 0;
  let open = 0;
  const fail = (why) => {
    open -= 1;
    failures.push(why);
  };
  const timer = setInterval(() => {
    sent += 1;
    open += 1;
    const from = performance.now();
    const request = get(
      { host: '127.0.0.1', port, path: '/x', agent, timeout: 5_000 },
      (answer) => {
        answer.resume().on('end', () => {
          if (answer.statusCode !== 200) return fail(answer.statusCode);
          open -= 1;
          times.push(performance.now() - from);
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer within 5 s')));
    request.on('error', (error) => fail(error.message));
  }, 1_000 / perSecond);
  return async () => {
    clearInterval(timer);
    for (let n = 0; open > 0 && n < 600; n++) await pause(10);
    agent.destroy();
    times.sort((a, b) => a - b);
    return {
      sent,
      failures,
      p50: times[times.length >> 1],
      p99: times[Math.floor(times.length * 0.99)],
    };
  };
}

/** How many connections a process has to a port of this machine. */
export function connectionsTo(pid, port) {
  const inodes = new Set();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      inodes.add(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]);
    } catch {
      // It was closed meanwhile.
    }
  }
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[2]?.endsWith(`:${hex}`) && inodes.has(fields[9])).length;
}
