import { flag, group, made, oneOf, optional, textOf } from '../common/option-readers.js';

/** How much is logged, from everything to nothing. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** How much is logged. Nest's `verbose` is `trace` here, and its `log` is `info`. */
export type LogLevel = (typeof LEVELS)[number];

/** Where lines go, such as a stream; each call is one line with its end. */
export interface LogDestination {
  write(line: string): unknown;
}

/** What a user may set of telemetry. */
export interface TelemetryOptions {
  /** The service's name, a DNS label. @default the name given to RookeryModule, else SERVICE_NAME */
  readonly name?: string;
  /** The service's version. @default SERVICE_VERSION */
  readonly version?: string;
  /** The lowest level that is logged. @default LOG_LEVEL, else 'info' */
  readonly level?: LogLevel;
  /** Lines for people instead of JSON. @default true if standard output is a terminal */
  readonly pretty?: boolean;
  /** Where lines go. @default standard output */
  readonly destination?: LogDestination;
}

const readFields = group({
  name: optional(textOf()),
  version: optional(textOf()),
  level: optional(oneOf(LEVELS, 'info')),
  pretty: optional(flag(false)),
  destination: optional(made(isDestination, 'an object with a write method, such as a stream')),
});

/** The checked options, with their defaults. */
export type TelemetrySettings = ReturnType<typeof readTelemetryOptions>;

/** Under this token the room's providers find their settings. */
export const TELEMETRY_SETTINGS = Symbol('TELEMETRY_SETTINGS');

/** Checks what a user wrote; throws `InvalidOptionsError` with path and remedy. */
export function readTelemetryOptions(
  options: TelemetryOptions | undefined,
  env: NodeJS.ProcessEnv = process.env,
) {
  const fields = readFields(options, 'telemetry');
  return {
    ...fields,
    level: fields.level ?? oneOf(LEVELS, 'info')(env['LOG_LEVEL'] || undefined, 'LOG_LEVEL'),
    pretty: fields.pretty ?? (!fields.destination && process.stdout.isTTY),
  };
}

function isDestination(value: unknown): value is LogDestination {
  return (
    typeof value === 'object' &&
    value !== null &&
    'write' in value &&
    typeof value.write === 'function'
  );
}
