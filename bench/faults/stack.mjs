// The processes of one scenario: Consul, a gateway and the instances, each started and ended here.
import { fork, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../support/fleet.mjs';
import { FaultProxy } from './fault-proxy.mjs';

const ENSURE_CONSUL = fileURLToPath(new URL('../../scripts/ensure-consul.sh', import.meta.url));

export class Stack {
  folder = mkdtempSync(join(tmpdir(), 'rookery-faults-'));
  #processes = new Set();
  #proxies = [];
  #consul;
  #atExit = () => this.#kill();

  constructor() {
    process.once('exit', this.#atExit);
  }

  /** Starts Consul, the gateway and so many instances of "shop"; waits until all of them get calls. */
  async start(instances = 3, { behind = false, env = {} } = {}) {
    await this.startConsul();
    this.shops = await Promise.all(
      Array.from({ length: instances }, (_, at) => this.shop(`shop-${at}`, { behind, env })),
    );
    this.gateway = await this.app('gateway', 'gateway', env);
    await this.untilServed(instances);
    return this;
  }

  async startConsul() {
    const program = execFileSync(ENSURE_CONSUL, { encoding: 'utf8' }).trim();
    const [http, server, serf] = await freePorts(3);
    this.consulAddress = `127.0.0.1:${http}`;
    this.#consul = spawn(
      program,
      [
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
      ],
      { stdio: 'ignore' },
    );
    await until('Consul has a leader', async () => {
      const answer = await fetch(`http://${this.consulAddress}/v1/status/leader`);
      return /\d/.test(await answer.text());
    });
  }

  /** An instance of "shop"; `behind` a proxy that can be told to misbehave. */
  async shop(name, { behind = false, env = {} } = {}) {
    if (!behind) return this.app('shop', name, env);
    const [port] = await freePorts(1);
    const proxy = await new FaultProxy(port).listen();
    this.#proxies.push(proxy);
    const app = await this.app('shop', name, {
      ...env,
      PORT: String(port),
      ADVERTISED: String(proxy.port),
    });
    app.proxy = proxy;
    return app;
  }

  /** Starts an app of the folder `apps` and waits until it listens. */
  async app(file, name, env = {}) {
    const log = openSync(join(this.folder, `${name}.log`), 'a');
    const child = fork(fileURLToPath(new URL(`./apps/${file}.mjs`, import.meta.url)), {
      env: {
        ...process.env,
        NODE_ENV: 'production',
        CONSUL_HTTP_ADDR: this.consulAddress,
        LEDGER: join(this.folder, `${name}-${Math.random().toString(36).slice(2)}.ledger`),
        PORT: '0',
        HOST: '127.0.0.1',
        ...env,
      },
      stdio: ['ignore', log, log, 'ipc'],
    });
    this.#processes.add(child);
    child.once('exit', () => this.#processes.delete(child));
    const app = { name, child, env, ask: (message) => ask(child, message) };
    const [{ port }] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => {
        throw new Error(
          `${name} ended: ${readFileSync(join(this.folder, `${name}.log`), 'utf8').slice(-800)}`,
        );
      }),
    ]);
    return Object.assign(app, { port });
  }

  /** Waits until every instance has answered through the gateway. */
  async untilServed(instances) {
    const seen = new Set();
    await until(`${instances} instances are served`, async () => {
      const answer = await fetch(`http://127.0.0.1:${this.gateway.port}/shop/item`);
      const text = await answer.text();
      if (answer.status === 200) seen.add(text);
      return seen.size >= instances;
    });
  }

  /** Ends an app politely, and starts another in its place. */
  async restart(app) {
    const gone = once(app.child, 'exit');
    app.child.kill('SIGTERM');
    await gone;
    return this.app('shop', app.name, app.env);
  }

  /** What every instance wrote down of the POSTs it carried out. */
  ledgers() {
    return execFileSync('sh', ['-c', `cat ${this.folder}/*.ledger 2>/dev/null || true`], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    })
      .split('\n')
      .filter((line) => line !== '');
  }

  logOf(name) {
    const path = join(this.folder, `${name}.log`);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  async stop() {
    process.off('exit', this.#atExit);
    this.#kill();
    for (const proxy of this.#proxies) proxy.close();
    await pause(50);
    if (!process.env.KEEP_LOGS) rmSync(this.folder, { recursive: true, force: true });
  }

  #kill() {
    for (const child of this.#processes) {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
    }
    this.#consul?.kill('SIGKILL');
  }
}

let asked = 0;

function ask(child, message) {
  const id = ++asked;
  return new Promise((resolve) => {
    const hear = (answer) => {
      if (answer.id !== id) return;
      child.off('message', hear);
      resolve(answer.value);
    };
    child.on('message', hear);
    child.send({ id, ...message });
  });
}

export async function until(what, holds, patience = 30_000) {
  const end = performance.now() + patience;
  for (;;) {
    if (await holds().catch(() => false)) return;
    if (performance.now() > end) throw new Error(`it never came about that ${what}`);
    await pause(20);
  }
}
