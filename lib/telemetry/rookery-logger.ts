import type { LoggerService } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';
import { optionalPackage } from '../common/optional-package.js';
import type { RequestContext } from '../common/request-context.js';
import type { ServiceIdentity } from '../common/service-identity.js';
import { readLogCall } from './log-call.js';
import type { LogDestination, LogLevel, TelemetrySettings } from './telemetry.options.js';
import { terminalLines } from './terminal-lines.js';

/** What the logger needs of the application. */
export interface LoggerParts {
  readonly settings: TelemetrySettings;
  readonly clock: Clock;
  readonly context: RequestContext;
  readonly identity: ServiceIdentity;
  readonly events: EventHub;
}

/** What is used of pino; named here, so that nobody needs pino to compile against this package. */
interface LineWriter {
  level: string;
  trace: WriteLine;
  debug: WriteLine;
  info: WriteLine;
  warn: WriteLine;
  error: WriteLine;
  fatal: WriteLine;
}

type WriteLine = (fields: object, message: string) => void;

/**
 * Nest's logger on pino: one JSON line for each call, with time, level, service, instance, version, context, message,
 * and, while a request is handled, its trace id, span id and correlation id.
 *
 * Headers are never logged, nor fields named like secrets; in a terminal the lines are for people.
 *
 * @example
 * const app = await NestFactory.create(AppModule, { bufferLogs: true });
 * app.useLogger(app.get(RookeryLogger));
 */
export class RookeryLogger implements LoggerService {
  private instance: string | undefined;

  /** Loads pino and opens the logger; throws `InvalidOptionsError` when pino is not installed. */
  static async open(parts: LoggerParts): Promise<RookeryLogger> {
    return new RookeryLogger(await openPino(parts), parts);
  }

  private constructor(
    private readonly writer: LineWriter,
    private readonly parts: LoggerParts,
  ) {
    parts.events.on('instance.registered', ({ instance }) => (this.instance = instance.id));
  }

  /** The lowest level that is logged; setting it takes effect at once. */
  get level(): LogLevel {
    return this.writer.level as LogLevel;
  }

  set level(level: LogLevel) {
    this.writer.level = level;
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(
    level: Exclude<LogLevel, 'silent'>,
    first: unknown,
    rest: readonly unknown[],
  ): void {
    const { message, context, data, err } = readLogCall(first, rest);
    const scope = this.parts.context.current;
    this.writer[level](
      {
        service: this.service,
        instance: this.instance,
        version: this.parts.identity.version,
        context,
        traceId: scope?.trace.traceId,
        spanId: scope?.trace.spanId,
        correlationId: scope?.correlationId,
        data,
        err,
      },
      message,
    );
  }

  /** A logger must not fail: the sentence about a missing name is the starting application's affair. */
  private get service(): string | undefined {
    try {
      return this.parts.identity.name;
    } catch {
      return undefined;
    }
  }
}

async function openPino({ settings, clock }: LoggerParts): Promise<LineWriter> {
  const { pino } = await optionalPackage(() => import('pino'), {
    name: 'pino',
    use: 'TelemetryModule logs with pino',
    remedy: 'leave TelemetryModule out',
  });
  const options = {
    level: settings.level,
    base: null,
    timestamp: () => `,"time":"${new Date(clock.wallTime()).toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    // Errors and data come as plain fields already.
    serializers: { err: (err: unknown) => err },
  };
  // Declared, because pino's own type has every property, `then` among them.
  const writer: LineWriter = pino(options, destinationOf(settings, pino.destination));
  return writer;
}

function destinationOf(
  { pretty, destination }: TelemetrySettings,
  open: (options: { fd: number; sync: boolean }) => LogDestination,
): LogDestination {
  if (pretty) return terminalLines(destination ?? process.stdout, hasColours(destination));
  // Synchronous, so that the last words of a process that dies are not lost.
  return destination ?? open({ fd: 1, sync: true });
}

/** See no-color.org. */
function hasColours(destination: LogDestination | undefined): boolean {
  return !destination && process.stdout.isTTY && !process.env['NO_COLOR'];
}
