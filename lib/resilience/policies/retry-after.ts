import type { Clock } from '../../common/clock.js';

/**
 * How long an error asks to be left alone, in ms: by `headers` or `response.headers` with `Retry-After`, as HTTP clients
 * keep them, in seconds or as a date (RFC 9110, 10.2.3).
 */
export function retryAfterOf(error: unknown, clock: Clock): number | undefined {
  const value = headerIn(error) ?? headerIn(fieldOf(error, 'response'));
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - clock.wallTime());
}

function headerIn(holder: unknown): string | undefined {
  const headers = fieldOf(holder, 'headers');
  if (headers instanceof Headers) return headers.get('retry-after') ?? undefined;
  const value = fieldOf(headers, 'retry-after') ?? fieldOf(headers, 'Retry-After');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function fieldOf(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null
    ? (holder as Record<string, unknown>)[name]
    : undefined;
}
