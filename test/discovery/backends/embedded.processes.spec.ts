import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { freePort } from './support/backend-fixtures.js';

const PROGRAM = new URL('./support/embedded-process.ts', import.meta.url);
const TYPESCRIPT = new URL('./support/typescript.mjs', import.meta.url);

/** A process of its own that registers and watches; it keeps how many instances it has seen. */
class SystemProcess {
  seen: number[] = [];
  private readonly child: ChildProcess;

  constructor(port: number, id: string) {
    this.child = fork(PROGRAM, [String(port), id], {
      execArgv: ['--no-warnings', '--import', TYPESCRIPT.href],
    });
    this.child.on('message', (count: number) => this.seen.push(count));
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

describe('embedded, between real processes', () => {
  const processes: SystemProcess[] = [];
  afterEach(() => Promise.all(processes.map((process) => process.kill())));

  const everybodySees = (count: number) =>
    eventually(() => {
      for (const { seen } of processes) expect(seen.at(-1)).toBe(count);
    }, 15_000);

  async function start(port: number, count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      processes.push(new SystemProcess(port, `orders-${processes.length}`));
    }
    await everybodySees(processes.length);
  }

  /** Kills one of them with SIGKILL; how long it took until the others agreed, and the least they saw. */
  async function kill(victim: SystemProcess | undefined) {
    if (!victim) throw new Error('nobody is left');
    processes.splice(processes.indexOf(victim), 1);
    for (const each of processes) each.seen = [];
    const from = performance.now();
    await victim.kill();
    await everybodySees(processes.length);
    const least = Math.min(...processes.flatMap(({ seen }) => seen));
    return { took: performance.now() - from, least };
  }

  // Usually 10 and 270 ms; the limits leave room for a busy machine.
  it('sees a killed process at once, and heals soon when the holder is killed', async () => {
    const port = await freePort();
    await start(port, 1);
    await start(port, 3);
    const ordinary = await kill(processes.at(-1));
    expect(ordinary.took).toBeLessThan(500);
    expect(ordinary.least).toBe(3);

    const holder = await kill(processes[0]);
    expect(holder.took).toBeLessThan(1_500);
    expect(holder.least).toBe(2);
  }, 30_000);
});
