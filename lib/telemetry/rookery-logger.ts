import type { LoggerService } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';
import { optionalPackage } from '../common/optional-package.js';
import type { RequestContext, RequestScope } from '../common/request-context.js';
import type { ServiceIdentity } from '../common/service-identity.js';
import { readLogCall } from './log-call.js';
import { LogLevels } from './log-levels.js';
import { Redaction } from './redaction.js';
import type { LogDestination, LogLevel, TelemetrySettings } from './telemetry.options.js';
import { terminalLines } from './terminal-lines.js';

/** What the logger needs of the application. */
export interface LoggerParts {
  readonly settings: TelemetrySettings;
  readonly clock: Clock;
  readonly context: RequestContext;
  readonly identity: ServiceIdentity;
  readonly events: EventHub;
  /** The route of a request that is being handled, as it was written. */
  readonly routeOf: (scope: RequestScope) => string | undefined;
}

/** What a line says of a request that was answered. */
export interface AnsweredRequest {
  readonly method: string | undefined;
  /** Without its query. */
  readonly path: string | undefined;
  /** As it was written. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
}

/** What is used of pino; named here, so that nobody needs pino to compile against this package. */
interface LineWriter {
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
 * Of headers and bodies only what is on a list is logged, and nothing that is named or looks like a secret; in a terminal
 * the lines are for people.
 *
 * @example
 * const app = await NestFactory.create(AppModule, { bufferLogs: true });
 * app.useLogger(app.get(RookeryLogger));
 */
export class RookeryLogger implements LoggerService {
  private instance: string | undefined;
  /** Which lines are written; it can change at any time. */
  readonly levels: LogLevels;
  private readonly redaction: Redaction;

  /** Loads pino and opens the logger; throws `InvalidOptionsError` when pino is not installed. */
  static async open(parts: LoggerParts): Promise<RookeryLogger> {
    return new RookeryLogger(await openPino(parts), parts);
  }

  private constructor(
    private readonly writer: LineWriter,
    private readonly parts: LoggerParts,
  ) {
    const { level, headers, bodyFields } = parts.settings;
    this.levels = new LogLevels(level);
    this.redaction = new Redaction(headers, bodyFields);
    parts.events.on('instance.registered', ({ instance }) => (this.instance = instance.id));
  }

  /** The lowest level that is logged; setting it takes effect at once. */
  get level(): LogLevel {
    return this.levels.root;
  }

  set level(level: LogLevel) {
    this.levels.root = level;
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

  /** A request has been answered: one line, an error where the service failed. */
  answered(request: AnsweredRequest, scope: RequestScope): void {
    const level = request.status >= 500 ? 'error' : 'info';
    if (!this.levels.writes(level, 'Access')) return;
    this.writer[level]({ ...this.fields('Access', scope), ...request }, 'request answered');
  }

  private write(
    level: Exclude<LogLevel, 'silent'>,
    first: unknown,
    rest: readonly unknown[],
  ): void {
    if (!this.levels.mayWrite(level)) return;
    const { message, context, data, err } = readLogCall(first, rest, this.redaction);
    if (!this.levels.writes(level, context)) return;
    const scope = this.parts.context.current;
    const route = scope && this.parts.routeOf(scope);
    this.writer[level]({ ...this.fields(context, scope), route, data, err }, message);
  }

  /** What every line begins with. */
  private fields(context: string | undefined, scope: RequestScope | undefined): object {
    return {
      service: this.service,
      instance: this.instance,
      version: this.parts.identity.version,
      context,
      traceId: scope?.trace.traceId,
      spanId: scope?.trace.spanId,
      correlationId: scope?.correlationId,
    };
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
    // Which lines are written is decided before.
    level: 'trace',
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
