import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Ports of the loopback address that are free now. */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

function programOf(debianPackage, program) {
  const out = execFileSync('scripts/ensure-deb.sh', [debianPackage, program], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return out.trim();
}

/**
 * Starts a program that lives no longer than this process; it begins with an empty directory of its own.
 *
 * `stop` asks it to end, `kill` ends it with SIGKILL, `freeze` and `thaw` stop it and let it go on.
 */
async function startServer({ program, args, port, ready }) {
  const directory = mkdtempSync(join(tmpdir(), 'nest-rookery-'));
  // The shell stops it when its standard input closes.
  const watch =
    '"$@" & server=$!; echo $server; read -r signal; kill -${signal:-TERM} $server; wait $server 2>/dev/null';
  const shell = spawn('sh', ['-c', watch, 'sh', program, ...args(directory)], {
    stdio: ['pipe', 'pipe', 'ignore'],
    cwd: directory,
  });
  const exited = once(shell, 'exit');
  const [line] = await once(shell.stdout, 'data');
  const pid = Number.parseInt(String(line), 10);
  shell.stdout.resume();
  const end = async (signal) => {
    if (shell.exitCode === null && shell.stdin.writable) shell.stdin.end(`${signal}\n`);
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  for (const limit = Date.now() + 15_000; !(await ready(port)); await sleep(20)) {
    if (!isAlive(pid)) {
      await end('TERM');
      throw new Error(`${program} ended; was its port taken?`);
    }
    if (Date.now() > limit) throw new Error(`${program} does not answer after 15 s`);
  }
  return {
    pid,
    kill: () => end('KILL'),
    stop: () => end('TERM'),
    freeze: () => process.kill(pid, 'SIGSTOP'),
    thaw: () => process.kill(pid, 'SIGCONT'),
  };
}

/** Whether it runs; one that has ended stays as a zombie until the shell asks for it. */
function isAlive(pid) {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Starts something on ports, or else on free ones: others, should somebody take them before it does. */
async function startOn(ports, count, start) {
  for (let tries = 3; ; tries--) {
    try {
      return await start(ports ?? (await freePorts(count)));
    } catch (error) {
      if (ports || tries === 1) throw error;
    }
  }
}

/** A real etcd with nothing in it. */
export function startEtcd({ ports } = {}) {
  return startOn(ports, 2, etcdOn);
}

async function etcdOn([port, peer]) {
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer({
    program: programOf('etcd-server', 'etcd'),
    port,
    args: (directory) => [
      `--data-dir=${join(directory, 'data')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=default=http://127.0.0.1:${peer}`,
      '--heartbeat-interval=50',
      '--election-timeout=500',
    ],
    ready: () =>
      fetch(`${url}/health`).then(
        (answer) => answer.ok,
        () => false,
      ),
  });
  return { ...server, url, ports: [port, peer] };
}

/** A real Redis with nothing in it; with `cluster` it is a whole cluster of one. */
export function startRedis({ ports, cluster = false } = {}) {
  return startOn(ports, 2, (found) => redisOn(found, cluster));
}

async function redisOn([port, bus], cluster) {
  const server = await startServer({
    program: programOf('redis-server', 'redis-server'),
    port,
    args: () => {
      const alone = `--port ${port} --bind 127.0.0.1 --appendonly no`;
      const joined = `--cluster-enabled yes --cluster-port ${bus} --cluster-announce-ip 127.0.0.1`;
      return [...(cluster ? `${alone} ${joined}` : alone).split(' '), '--save', ''];
    },
    ready: async () => (await say(port, 'PING')).startsWith('+PONG'),
  });
  if (cluster) {
    await say(port, 'CLUSTER ADDSLOTSRANGE 0 16383');
    while (!(await say(port, 'CLUSTER INFO')).includes('cluster_state:ok')) await sleep(50);
  }
  return { ...server, port, ports: [port, bus], url: `redis://127.0.0.1:${port}` };
}

/** Sends a Redis server a command; what it answers first, or nothing. */
export async function say(port, command) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write(`${command}\r\n`);
    const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(5_000) });
    return String(answer);
  } catch {
    return '';
  } finally {
    socket.destroy();
  }
}
