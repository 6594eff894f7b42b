import { setTimeout as pause } from 'node:timers/promises';

/** Repeats a check until it holds; after the limit in ms its last failure is the test's. */
export async function eventually(check: () => unknown, limit = 5_000): Promise<void> {
  const end = performance.now() + limit;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await pause(5);
  }
}
