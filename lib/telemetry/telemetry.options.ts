import {
  flag,
  group,
  integer,
  list,
  made,
  oneOf,
  optional,
  type OptionReader,
  refuse,
  textOf,
} from '../common/option-readers.js';

/** How much is logged, from everything to nothing. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** How much is logged. Nest's `verbose` is `trace` here, and its `log` is `info`. */
export type LogLevel = (typeof LEVELS)[number];

/** Where lines go, such as a stream; each call is one line with its end. */
export interface LogDestination {
  write(line: string): unknown;
}

/** What a user may set of metrics. */
export interface MetricsOptions {
  /**
   * Where this service shows them to callers on this machine and to those who bring the management token; `false` leaves
   * that to the management endpoints. @default '/metrics'
   */
  readonly path?: string | false;
  /** The most series of one metric; what comes beyond is counted together. @default 2000 */
  readonly maxSeries?: number;
}

/** What a user may set of telemetry. */
export interface TelemetryOptions {
  /** The service's name, a DNS label. @default the name given to RookeryModule, else SERVICE_NAME */
  readonly name?: string;
  /** The service's version. @default SERVICE_VERSION */
  readonly version?: string;
  /** Whether there is a `RookeryLogger`; it needs pino. @default true */
  readonly logs?: boolean;
  /** The lowest level that is logged. @default LOG_LEVEL, else 'info' */
  readonly level?: LogLevel;
  /** Lines for people instead of JSON. @default true if standard output is a terminal */
  readonly pretty?: boolean;
  /** Where lines go. @default standard output */
  readonly destination?: LogDestination;
  /** A line for each request that the service's own handlers have answered. @default false */
  readonly accessLog?: boolean;
  /** The headers whose values may be logged, in small letters; all others are hidden. @default a few harmless ones */
  readonly headers?: readonly string[];
  /** The fields of logged bodies whose values may be logged; all others are hidden. @default none */
  readonly bodyFields?: readonly string[];
  /** Whether what happens is counted, for Prometheus; it needs prom-client. @default false */
  readonly metrics?: MetricsOptions | boolean;
  /** Whether requests become spans when OpenTelemetry's SDK is registered; without it nothing is done. @default true */
  readonly tracing?: boolean;
}

/** Headers that say nothing of who somebody is. */
const HARMLESS = [
  'accept',
  'accept-encoding',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'traceparent',
  'user-agent',
  'x-correlation-id',
];

const metricsPath: OptionReader<string | false> = (value, path) => {
  if (value === false || value === undefined) return value ?? '/metrics';
  const text = textOf()(value, path);
  if (!/^\/[\w/-]+$/.test(text)) refuse(path, `is '${text}'`, "Write it like '/metrics'.");
  return text;
};

const metricsFields = group({
  path: metricsPath,
  maxSeries: integer(2_000, { min: 10, max: 100_000 }),
});

const readMetrics: OptionReader<
  ReturnType<typeof metricsFields> & { readonly enabled: boolean }
> = (value, path) => {
  const enabled = value !== undefined && value !== false;
  return { enabled, ...metricsFields(typeof value === 'boolean' ? undefined : value, path) };
};

const readFields = group({
  name: optional(textOf()),
  version: optional(textOf()),
  level: optional(oneOf(LEVELS, 'info')),
  pretty: optional(flag(false)),
  destination: optional(made(isDestination, 'an object with a write method, such as a stream')),
  logs: flag(true),
  accessLog: flag(false),
  headers: optional(list(textOf())),
  bodyFields: list(textOf()),
  metrics: readMetrics,
  tracing: flag(true),
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
    headers: fields.headers ?? HARMLESS,
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
