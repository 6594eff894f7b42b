import { type INestApplication, Logger } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { InvalidOptionsError, messageOf, RookeryError } from './common/errors.js';
import { findProvider } from './common/find-provider.js';
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
    await listen(app, port, hostOf(options));
    new Logger('Start').log(`${nameOf(app)} listens on ${await urlOf(app, options)}`);
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
  const [logger] = findProvider(app, MetadataExplorer)?.providersOf(RookeryLogger) ?? [];
  if (logger) app.useLogger(logger);
  app.flushLogs();
  return app;
}

async function listen(app: INestApplication, port: number, host?: string): Promise<void> {
  await app.init();
  // Nest logs a port that is taken as an error of its own; we say it better.
  Logger.attachBuffer();
  try {
    await (host ? app.listen(port, host) : app.listen(port));
  } catch (error) {
    Logger.overrideLogger(false);
    throw error;
  } finally {
    Logger.flush();
  }
}

function hostOf(options: StartOptions): string | undefined {
  return process.env['HOST'] || options.host;
}

/** The service's name; an application that takes no part in discovery need not have one. */
function nameOf(app: INestApplication): string {
  const identity = findProvider(app, ServiceIdentity);
  try {
    return identity?.name ?? 'The application';
  } catch {
    return 'The application';
  }
}

/** Where a person here can reach it. */
async function urlOf(app: INestApplication, options: StartOptions): Promise<string> {
  const url = await app.getUrl();
  const host = hostOf(options);
  const everywhere = host === undefined || host === '::' || host === '0.0.0.0';
  return everywhere ? url.replace(/(?<=:\/\/)(?:\[.*\]|[^:/]*)(?=:\d)/, 'localhost') : url;
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
  const known = error instanceof RookeryError ? messageOf(error) : listenProblem(error, options);
  if (known !== undefined) {
    say(known);
  } else {
    Logger.flush();
    say(
      `The service could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }
}

/** Why it cannot listen, if that is why it could not start. */
function listenProblem(error: unknown, options: StartOptions): string | undefined {
  const { code, syscall, port, hostname } = (error ?? {}) as NodeJS.ErrnoException & {
    readonly port?: number;
    readonly hostname?: string;
  };
  const host = hostOf(options);
  if (syscall === 'getaddrinfo' && hostname === host) return noAddress(host);
  if (syscall !== 'listen') return undefined;
  if (code === 'EADDRINUSE') {
    return `Port ${port} is in use by another program. Stop it, or set PORT to another port.`;
  }
  if (code === 'EACCES') {
    return `Port ${port} is not allowed to this user. Set PORT to one above 1023.`;
  }
  return code === 'EADDRNOTAVAIL' ? noAddress(host) : undefined;
}

function noAddress(host: string | undefined): string {
  return `This machine has no address '${host}' to listen on. Set HOST to one it has, such as 127.0.0.1, or leave HOST out to listen on all.`;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
