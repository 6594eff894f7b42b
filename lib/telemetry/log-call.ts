import { dataFields, errorFields } from './log-fields.js';
import { type Redaction, withoutSecrets } from './redaction.js';

/** What Nest's `Logger` was called with, sorted. */
export interface LogCall {
  readonly context?: string;
  readonly message: string;
  readonly err?: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
}

const STACK = /\n\s+at /;

/**
 * Sorts the arguments of a call of Nest's `Logger`: the last text is the context, as Nest appends it; a text that is
 * a stack, and every error, go to `err`; objects go to `data`; other texts belong to the message.
 */
export function readLogCall(
  message: unknown,
  rest: readonly unknown[],
  redaction?: Redaction,
): LogCall {
  const given = rest.filter((each) => each !== undefined);
  const last = given.at(-1);
  const context = typeof last === 'string' && !STACK.test(last) ? last : undefined;
  const parts = [message, ...(context === undefined ? given : given.slice(0, -1))];
  const error = parts.find((part) => part instanceof Error);
  const stack = parts.slice(1).find((part) => typeof part === 'string' && STACK.test(part));
  const data = parts.filter(isData);
  const texts = parts.filter((part) => !isData(part) && !(part instanceof Error) && part !== stack);
  const err = error
    ? errorFields(error)
    : typeof stack === 'string'
      ? { stack: withoutSecrets(stack) }
      : undefined;
  return {
    ...(context === undefined ? {} : { context }),
    message: withoutSecrets(texts.map(String).join(' ') || (error?.message ?? '')),
    ...(err ? { err } : {}),
    ...(data.length > 0 ? { data: dataFields(data.length === 1 ? data[0] : data, redaction) } : {}),
  };
}

function isData(part: unknown): boolean {
  return typeof part === 'object' && part !== null && !(part instanceof Error);
}
