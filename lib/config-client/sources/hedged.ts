import type { Clock } from '../../common/clock.js';

/** When a question is asked beside itself. */
export interface HedgeTimes {
  readonly clock: Clock;
  /** How long one question waits alone, in ms. */
  readonly after: number;
  /** Ends them all. */
  readonly signal: AbortSignal;
}

/**
 * Asks; when no answer comes in time asks again beside it, and takes the first answer of any.
 *
 * A server that hung and is well again would otherwise be heard of only when the old question is given up.
 */
export async function hedged<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { clock, after, signal }: HedgeTimes,
): Promise<T> {
  const over = new AbortController();
  const end = () => over.abort(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  const asked: Promise<T>[] = [];
  try {
    for (;;) {
      const answer = ask(over.signal);
      answer.catch(() => undefined);
      asked.push(answer);
      const late = Symbol('late');
      const waited = new AbortController();
      const patience = clock
        .sleep(asked.length < MOST ? after : LONGEST, AbortSignal.any([waited.signal, over.signal]))
        .then(() => late);
      // A refusal of any question counts: the server has spoken.
      const first = await Promise.race([...asked, patience]);
      waited.abort();
      if (first !== late) return first as T;
      signal.throwIfAborted();
    }
  } finally {
    signal.removeEventListener('abort', end);
    over.abort();
  }
}

/** So many questions stand beside each other at most. */
const MOST = 5;
/** Longer than any deadline of a question, in ms. */
const LONGEST = 24 * 3_600_000;
