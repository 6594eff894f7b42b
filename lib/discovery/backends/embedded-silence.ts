import type { Clock } from '../../common/clock.js';

/**
 * Runs a task after so many ms of silence; returns its cancellation.
 *
 * It may have been this process that stood still: what lies in its sockets by then is read before anybody is blamed.
 */
export function whenSilent(clock: Clock, limit: number, task: () => void): () => void {
  let last: NodeJS.Immediate | undefined;
  const cancel = clock.after(limit, () => (last = setImmediate(task)));
  return () => {
    cancel();
    clearImmediate(last);
  };
}
