import { SystemClock } from '../common/clock.js';
import { refuse } from '../common/option-readers.js';
import { Holder } from '../discovery/backends/embedded-holder.js';
import { isLoopback } from '../discovery/backends/loopback.js';
import { type CliArguments, UsageError } from './cli-arguments.js';
import type { CliOutput } from './run-cli.js';

/** Runs the embedded registry by itself until the process is told to end. */
export async function registry(given: CliArguments, output: CliOutput): Promise<number> {
  const host = given.host ?? '127.0.0.1';
  const port = Number(given.port ?? 7946);
  const token = process.env['DISCOVERY_TOKEN'] || undefined;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new UsageError(`--port is '${given.port ?? ''}', not a port.`);
  }
  if (!isLoopback(host) && token === undefined) {
    refuse('--host', `is '${host}', which other machines can reach`, 'Set DISCOVERY_TOKEN.');
  }
  const clock = new SystemClock();
  const holder = await Holder.bind({ host, port, token, clock });
  if (!holder) refuse('--port', `is ${port}, which another program has`, 'Give a free one.');
  output.line(`The embedded registry listens at tcp://${host}:${port}.`);
  const ended = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ended.abort());
  // The holder keeps no process alive, because elsewhere it lives in somebody's application; a sleep does.
  while (!ended.signal.aborted) await clock.sleep(60_000, ended.signal);
  await holder.close();
  return 0;
}
