import { messageOf } from '../common/errors.js';
import { readArguments, UsageError } from './cli-arguments.js';
import { commands } from './commands.js';

/** Where a command writes. */
export interface CliOutput {
  readonly line: (text: string) => void;
  readonly error: (text: string) => void;
}

const HELP = `Usage: nest-rookery COMMAND [OPTIONS]

  services                 every service in the registry
  instances NAME           the instances of a service
  routes                   the routes that services publish
  explain METHOD URL       which route a request would take, and why
  doctor                   what is wrong with the registry, its rights, clocks, addresses and ports
  registry                 runs the embedded registry by itself; for development and single hosts

The registry is the one an application would use here (DISCOVERY_URL, CONSUL_HTTP_ADDR, …), or the one of:
  --backend NAME           consul, etcd, redis, kubernetes, eureka or embedded
  --url URL                its address
  --namespace NAME         whose services                          (DISCOVERY_NAMESPACE)
  --wait DURATION          how long to wait for answers            (5s)
  --json                   prints JSON
For registry: --host ADDRESS, --port NUMBER (127.0.0.1, 7946), and the token in DISCOVERY_TOKEN.`;

/**
 * Runs a command of `npx nest-rookery`; resolves with the code the process should exit with: 0 fine, 1 something is wrong, 2
 * not understood.
 *
 * @example
 * process.exitCode = await runCli(['services']);
 */
export async function runCli(
  words: readonly string[],
  output: CliOutput = {
    line: (text) => void process.stdout.write(`${text}\n`),
    error: (text) => void process.stderr.write(`${text}\n`),
  },
): Promise<number> {
  try {
    const { command, ...given } = readArguments(words);
    const run = Object.hasOwn(commands, command)
      ? commands[command as keyof typeof commands]
      : undefined;
    if (given.help || command === 'help') output.line(HELP);
    else if (!run) throw new UsageError(`There is no command '${command}'.`);
    else return await run(given, output);
    return 0;
  } catch (error) {
    output.error(messageOf(error));
    if (!(error instanceof UsageError)) return 1;
    output.error(HELP);
    return 2;
  }
}
