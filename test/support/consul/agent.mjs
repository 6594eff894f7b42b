import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Ports that are free now, for an agent that is to be started more than once. */
export async function freePorts() {
  const [http, server, serf] = await Promise.all([freePort(), freePort(), freePort()]);
  return { http, server, serf };
}

/**
 * Starts a real Consul agent with nothing in it, on loopback; resolves when it has a leader.
 *
 * `hcl` is further configuration. `stop` lets it leave, `kill` ends it with SIGKILL; both resolve when the process is gone.
 */
export async function startAgent({ ports, hcl } = {}) {
  const { http, server, serf } = ports ?? (await freePorts());
  const bin = execFileSync('scripts/ensure-consul.sh', {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
  const args = [
    'agent',
    '-dev',
    '-bind=127.0.0.1',
    '-client=127.0.0.1',
    '-log-level=err',
    `-http-port=${http}`,
    `-server-port=${server}`,
    `-serf-lan-port=${serf}`,
    '-serf-wan-port=-1',
    '-dns-port=-1',
    '-grpc-port=-1',
    ...(hcl ? [`-hcl=${hcl}`] : []),
  ];
  // The agent lives no longer than this process: the shell stops it when its standard input closes.
  const watch =
    '"$@" & agent=$!; read -r signal; kill -${signal:-TERM} $agent; wait $agent 2>/dev/null';
  const shell = spawn('sh', ['-c', watch, 'sh', bin, ...args], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exited = once(shell, 'exit');
  const end = async (signal) => {
    if (shell.exitCode === null && shell.stdin.writable) shell.stdin.end(`${signal}\n`);
    await exited;
  };
  const agent = {
    url: `http://127.0.0.1:${http}`,
    kill: () => end('KILL'),
    stop: () => end('TERM'),
  };
  await untilItLeads(agent.url, shell);
  return agent;
}

async function untilItLeads(url, shell) {
  for (const end = Date.now() + 20_000; ; await sleep(50)) {
    if (shell.exitCode !== null) throw new Error(`consul exited with ${shell.exitCode}`);
    const leader = await fetch(`${url}/v1/status/leader`).then(
      (answer) => answer.text(),
      () => '',
    );
    if (/\d/.test(leader)) return;
    if (Date.now() > end) throw new Error('consul has no leader after 20 s');
  }
}
