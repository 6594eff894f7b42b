import type { Clock } from '../common/clock.js';
import { BackendRefusedError, RetryLaterError } from './discovery.errors.js';

/** How long to leave a registry alone that refuses us, in ms: a person has to mend something first. */
const REFUSED_WAIT = 15_000;

/** How long a registry wants to be left alone after this error, in ms, besides the usual backoff. */
export function askedToWait(error: unknown): number {
  if (error instanceof RetryLaterError) return error.retryAfter;
  return error instanceof BackendRefusedError ? REFUSED_WAIT : 0;
}

/** The same stream, but a failure that asks for patience is told at once and thrown only after the wait. */
export async function* patient<T>(
  stream: AsyncIterable<T>,
  context: { clock: Clock; signal: AbortSignal; onError: (error: unknown) => void },
): AsyncGenerator<T, void, undefined> {
  try {
    yield* stream;
  } catch (error) {
    const wait = askedToWait(error);
    if (wait > 0 && !context.signal.aborted) {
      context.onError(error);
      await context.clock.sleep(wait, context.signal);
    }
    throw error;
  }
}
