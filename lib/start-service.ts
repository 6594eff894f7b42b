import { type INestApplication, Logger } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { InvalidOptionsError, messageOf } from './common/errors.js';
import { MetadataExplorer } from './common/metadata-explorer.js';
import { ServiceIdentity } from './common/service-identity.js';
import { enableGracefulShutdown } from './discovery/graceful-shutdown.js';
import { RookeryLogger } from './telemetry/rookery-logger.js';

/** How a service is started. */
export interface StartOptions {
  /** The port when `PORT` does not say one; 0 takes any that is free. @default 3000 */
  readonly port?: number;
  /** The address to listen on when `HOST` does not say one. @default every address */
  readonly host?: string;
  /** The HTTP adapter, such as `new FastifyAdapter()`. @default Express */
  readonly adapter?: AbstractHttpAdapter;
  /** What to do with the application before it listens: pipes, prefixes, microservices. */
  readonly prepare?: (app: INestApplication) => Promise<void> | void;
}

/**
 * Starts a service as a process of its own, for a `main.ts`.
 *
 * It listens on `PORT`, logs through `RookeryLogger` when the module has one, and leaves politely on `SIGTERM` and
 * Ctrl-C. When it cannot start it says why, in one sentence where the reason is known, and sets the exit code to 1.
 *
 * @returns the application, or `undefined` when it could not start
 *
 * @example
 * await startService(AppModule, { port: 3000 });
 */
export async function startService(
  module: Parameters<typeof NestFactory.create>[0],
  options: StartOptions = {},
): Promise<INestApplication | undefined> {
  let app: INestApplication | undefined;
  try {
    const port = readPort(options.port ?? 3_000);
    app = await create(module, options.adapter);
    enableGracefulShutdown(app);
    await options.prepare?.(app);
    await listen(app, port, process.env['HOST'] ?? options.host);
    new Logger('Start').log(
      `${app.get(ServiceIdentity, { strict: false }).name} listens on ${await app.getUrl()}`,
    );
    return app;
  } catch (error) {
    process.exitCode = 1;
    explain(error, options);
    await app?.close().catch(() => undefined);
    return undefined;
  }
}

async function create(
  module: Parameters<typeof NestFactory.create>[0],
  adapter: AbstractHttpAdapter | undefined,
): Promise<INestApplication> {
  // The buffer is let go by us alone, so that a mistake in the options is one sentence and no stack.
  const options = { bufferLogs: true, autoFlushLogs: false, abortOnError: false };
  const app = adapter
    ? await NestFactory.create(module, adapter, options)
    : await NestFactory.create(module, options);
  // Asking Nest for what is not there makes it log an error of its own.
  const [logger] = app.get(MetadataExplorer).providersOf(RookeryLogger);
  if (logger) app.useLogger(logger);
  app.flushLogs();
  return app;
}

async function listen(app: INestApplication, port: number, host?: string): Promise<void> {
  await (host ? app.listen(port, host) : app.listen(port));
}

function readPort(fallback: number): number {
  const text = process.env['PORT'];
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidOptionsError(
    `PORT is '${text}'. Make it a number from 0 to 65535, or leave it out.`,
  );
}

function explain(error: unknown, options: StartOptions): void {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'EADDRINUSE') {
    const port = process.env['PORT'] ?? options.port ?? 3_000;
    say(`Port ${port} is in use by another program. Stop it, or set PORT to another port.`);
  } else if (error instanceof InvalidOptionsError) {
    say(messageOf(error));
  } else {
    Logger.flush();
    say(
      `The service could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
