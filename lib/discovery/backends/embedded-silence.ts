import type { Clock } from '../../common/clock.js';

/** Whoever runs so much too late, in ms, stood still itself: it was stopped, or the machine slept. */
const STOOD_STILL = 1_000;

/**
 * Runs a task after so many ms of silence; returns its cancellation.
 *
 * Nobody is blamed for a time in which this process stood still: it waits once more then. And what lies in its sockets is read
 * before the task runs.
 */
export function whenSilent(clock: Clock, limit: number, task: () => void): () => void {
  let last: NodeJS.Immediate | undefined;
  let cancel: () => void;
  const wait = () => {
    const due = clock.now() + limit;
    cancel = clock.after(limit, () => {
      if (clock.now() - due >= STOOD_STILL) wait();
      else last = setImmediate(task);
    });
  };
  wait();
  return () => {
    cancel();
    clearImmediate(last);
  };
}
