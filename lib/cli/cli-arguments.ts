import { parseArgs } from 'node:util';
import { messageOf } from '../common/errors.js';

/** The words of a command could not be understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What was said on the command line. */
export interface CliArguments {
  readonly words: readonly string[];
  readonly help: boolean;
  readonly json: boolean;
  readonly wait: string;
  readonly backend?: string;
  readonly url?: string;
  readonly namespace?: string;
  readonly host?: string;
  readonly port?: string;
}

/** Reads a command line; throws `UsageError` with what is wrong. */
export function readArguments(
  argv: readonly string[],
): CliArguments & { readonly command: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        json: { type: 'boolean', default: false },
        wait: { type: 'string', default: '5s' },
        backend: { type: 'string' },
        url: { type: 'string' },
        namespace: { type: 'string' },
        host: { type: 'string' },
        port: { type: 'string' },
      },
    });
    const [command = 'help', ...words] = positionals;
    return { command, words, ...values };
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}
