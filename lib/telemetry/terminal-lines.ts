import type { LogDestination } from './telemetry.options.js';

/** ANSI colours of the levels. */
const COLOURS: Readonly<Record<string, number>> = {
  warn: 33,
  error: 31,
  fatal: 35,
  debug: 36,
  trace: 90,
};

/** Writes each JSON line as a person reads it: `12:00:00.123 INFO  Orders: created {"id":7} 4bf92f35`. */
export function terminalLines(target: LogDestination, colours: boolean): LogDestination {
  return { write: (line) => target.write(`${readable(JSON.parse(line), colours)}\n`) };
}

function readable(fields: Readonly<Record<string, unknown>>, colours: boolean): string {
  const { time, level, context, msg, data, err, correlationId } = fields;
  const word = String(level).toUpperCase().padEnd(5);
  const colour = colours ? COLOURS[String(level)] : undefined;
  const parts = [
    String(time).slice(11, 23),
    colour === undefined ? word : `\u001B[${colour}m${word}\u001B[0m`,
    typeof context === 'string' ? `${context}:` : undefined,
    msg,
    data === undefined ? undefined : JSON.stringify(data),
    // Enough of it to find the request's other lines.
    typeof correlationId === 'string' ? `(${correlationId.slice(0, 8)})` : undefined,
  ];
  const line = parts.filter((part) => part !== undefined && part !== '').join(' ');
  return err === undefined ? line : `${line}\n${stackOf(err)}`;
}

function stackOf(err: unknown): string {
  const { stack, message, cause } = err as Readonly<Record<string, unknown>>;
  const own = String(stack ?? message);
  return cause === undefined ? own : `${own}\nCaused by: ${stackOf(cause)}`;
}
