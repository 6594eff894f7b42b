// The programs that a measurement starts: each on one core, each with a log of its own, all ended with it.
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, truncateSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Fleet {
  /** For configuration, logs and what else the programs leave behind; gone at the end. */
  folder = mkdtempSync(join(tmpdir(), 'rookery-bench-'));
  #ships = [];

  constructor() {
    process.once('exit', () => this.#end());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.once(signal, () => process.exit(1));
  }

  /** Starts a program on a core. */
  start(name, core, [command, ...args], env = {}) {
    const log = join(this.folder, `${name.replaceAll(/[^\w.-]+/g, '-')}.log`);
    // Appended to, so that it can be cut to nothing while it is written.
    const output = openSync(log, 'a');
    const child = spawn('taskset', ['-c', String(core), command, ...args], {
      env: { ...process.env, NODE_ENV: 'production', ...env },
      stdio: ['ignore', output, output],
      // A group of its own, so that its children end with it.
      detached: true,
    });
    const ship = { name, child, log };
    this.#ships.push(ship);
    return {
      pid: child.pid,
      log,
      isRunning: () => child.exitCode === null && child.signalCode === null,
      stop: () => endShip(ship),
    };
  }

  /** Empties all logs: access logs of a measurement grow by megabytes a second. */
  cutLogs() {
    for (const { log } of this.#ships) truncateSync(log);
  }

  #end() {
    for (const ship of this.#ships) endShip(ship);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function endShip({ child }) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** So many ports that nobody listens on. */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
