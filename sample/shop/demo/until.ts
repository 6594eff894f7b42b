import { setTimeout as pause } from 'node:timers/promises';

/** Thrown by a check that knows it will never hold. */
export class HopelessError extends Error {}

/** Asks again and again until something is so; says what it waited for when it never was. */
export async function until(
  what: string,
  check: () => Promise<boolean> | boolean,
  limit = 25_000,
): Promise<void> {
  const end = performance.now() + limit;
  let reason: unknown;
  while (performance.now() < end) {
    try {
      if (await check()) return;
      reason = undefined;
    } catch (error) {
      if (error instanceof HopelessError) throw error;
      reason = error;
    }
    await pause(25);
  }
  throw new Error(`Waited ${limit / 1_000} s in vain until ${what}`, { cause: reason });
}
