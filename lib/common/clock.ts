import { Injectable } from '@nestjs/common';

/** Time, as everything in this package reads it; tests push a fake one. */
export abstract class Clock {
  /** Milliseconds that only ever go forward; for durations and deadlines. */
  abstract now(): number;

  /** Milliseconds since 1970; for people and for other machines. */
  abstract wallTime(): number;

  /** Runs a task once after a delay in ms; returns its cancellation. Does not keep the process alive. */
  abstract after(delay: number, task: () => void): () => void;

  /** Runs a task every so many ms; returns its cancellation. Does not keep the process alive. */
  abstract every(interval: number, task: () => void): () => void;

  /** Resolves after a delay in ms, or at once when the signal aborts; never rejects. */
  abstract sleep(delay: number, signal?: AbortSignal): Promise<void>;

  /** A signal that aborts after a delay in ms, or with its parent; `cancel` ends the wait. */
  deadline(delay: number, parent?: AbortSignal): { signal: AbortSignal; cancel: () => void } {
    const controller = new AbortController();
    const follow = () => controller.abort(parent?.reason);
    const stop = this.after(delay, () => {
      controller.abort(new DOMException(`not done within ${delay} ms`, 'TimeoutError'));
    });
    if (parent?.aborted) follow();
    else parent?.addEventListener('abort', follow, { once: true });
    const cancel = () => {
      stop();
      parent?.removeEventListener('abort', follow);
    };
    return { signal: controller.signal, cancel };
  }
}

/** The machine's own time. */
@Injectable()
export class SystemClock extends Clock {
  override now(): number {
    return performance.now();
  }

  override wallTime(): number {
    return Date.now();
  }

  override after(delay: number, task: () => void): () => void {
    const timer = setTimeout(task, delay).unref();
    return () => clearTimeout(timer);
  }

  override every(interval: number, task: () => void): () => void {
    const timer = setInterval(task, interval).unref();
    return () => clearInterval(timer);
  }

  override sleep(delay: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      // Keeps the process alive on purpose: a program that waits for its configuration must not end meanwhile.
      const timer = setTimeout(done, delay);
      signal?.addEventListener('abort', done, { once: true });
    });
  }
}
