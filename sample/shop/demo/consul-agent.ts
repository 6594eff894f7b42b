import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.js';
import { until } from './until.js';

const ENSURE = fileURLToPath(new URL('../../../../scripts/ensure-consul.sh', import.meta.url));

// The agent lives no longer than the demo: the shell ends it when its standard input closes, and ends when it ends.
const KEEPER =
  'exec 3<&0; log=$1; shift; "$@" >>"$log" 2>&1 & agent=$!; echo $agent; { read -r _ <&3; kill $agent; } 2>&- & wait $agent';

/** A real Consul agent for the demo; in development mode it forgets everything when it ends. */
export class ConsulAgent {
  private keeper: ChildProcess | undefined;
  private ports: readonly number[] = [];
  /** The agent's own process, while it runs. */
  pid: number | undefined;

  /** @param log the file that takes what the agent says */
  constructor(private readonly log: string) {}

  /** `host:port`, as CONSUL_HTTP_ADDR wants it. */
  get address(): string {
    return `127.0.0.1:${this.ports[0]}`;
  }

  /** Starts it, on the same ports as before if it ran before. */
  async start(): Promise<void> {
    if (this.ports.length === 0) {
      this.ports = await Promise.all([freePort(), freePort(), freePort()]);
    }
    const args = ['-c', KEEPER, 'sh', this.log, ...this.commandLine()];
    // In a group of its own: a terminal's Ctrl-C goes to every process of the demo's group, and would end it too early.
    const keeper = spawn('sh', args, { detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
    this.keeper = keeper;
    keeper.once('exit', () => (this.pid = undefined));
    const [pid] = await once(keeper.stdout, 'data');
    this.pid = Number(String(pid).trim());
    await until('Consul has a leader', async () => {
      const answer = await fetch(`http://${this.address}/v1/status/leader`);
      return /\d/.test(await answer.text());
    });
  }

  /** What starts it by hand, on the same ports. */
  commandLine(): readonly string[] {
    const [http, server, serf] = this.ports;
    return [
      locate(),
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
    ];
  }

  /** How many instances are registered with it. */
  async instances(): Promise<number> {
    const answer = await fetch(`http://${this.address}/v1/agent/services`);
    return Object.keys((await answer.json()) as object).length;
  }

  /** Ends it without a word, as a crash does. */
  async kill(): Promise<void> {
    if (this.pid !== undefined) process.kill(this.pid, 'SIGKILL');
    await this.stop();
  }

  async stop(): Promise<void> {
    const { keeper } = this;
    this.keeper = undefined;
    if (!keeper || keeper.exitCode !== null || keeper.signalCode !== null) return;
    const gone = once(keeper, 'exit');
    keeper.stdin?.end();
    await gone;
  }
}

function locate(): string {
  try {
    return execFileSync(ENSURE, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  } catch (error) {
    throw new Error(
      'There is no Consul program here. Install it and put it on PATH, or set CONSUL_BIN to its path; without it, run the demo on the built-in registry: npm run demo.',
      { cause: error },
    );
  }
}
