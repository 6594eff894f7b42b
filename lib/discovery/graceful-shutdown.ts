import { type INestApplicationContext, Logger } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { type Duration, formatDuration, milliseconds } from '../common/duration.js';
import { findProvider } from '../common/find-provider.js';
import { EarlyShutdown } from './early-shutdown.js';

/** How an application ends when the system asks it to. */
export interface GracefulShutdownOptions {
  /** The signals that end it. @default SIGTERM and SIGINT */
  readonly signals?: readonly ('SIGTERM' | 'SIGINT' | 'SIGHUP')[];
  /**
   * How long all of it may take, from the signal on; then the process exits with 1, even if a hook hangs.
   * Keep it above `drain.limit` and below what the platform allows (Kubernetes: 30 s).
   * @default '28s'
   */
  readonly limit?: Duration;
}

/**
 * Lets signals close the application politely: Nest's `enableShutdownHooks`, and a limit that holds.
 *
 * Nest listens to signals only when told to; without this (or `enableShutdownHooks`) SIGTERM ends the process at once,
 * requests in flight fail, and peers learn of it only when the lease ends. In an application without `DiscoveryModule`
 * it is Nest's `enableShutdownHooks` alone: there is nothing to leave, and no limit.
 *
 * @example
 * const app = await NestFactory.create(AppModule);
 * enableGracefulShutdown(app);
 * await app.listen(3000);
 */
export function enableGracefulShutdown(
  app: INestApplicationContext,
  options: GracefulShutdownOptions = {},
): void {
  const { signals = ['SIGTERM', 'SIGINT'], limit = '28s' } = options;
  const ms = milliseconds(limit);
  const clock = findProvider(app, Clock);
  const early = findProvider(app, EarlyShutdown);
  if (clock && early) limitShutdown({ clock, early, signals, ms });
  app.enableShutdownHooks([...signals]);
}

interface ShutdownLimit {
  readonly clock: Clock;
  readonly early: EarlyShutdown;
  readonly signals: readonly NodeJS.Signals[];
  readonly ms: number;
}

function limitShutdown({ clock, early, signals, ms }: ShutdownLimit): void {
  // Does not keep the process alive: an application that closes in time just ends.
  const begin = () => void clock.after(ms, () => giveUp(ms));
  for (const signal of signals) process.once(signal, begin);
  // Nest sends itself the signal again when it is done; a listener of ours that is left would swallow it.
  early.add(() => {
    for (const signal of signals) process.removeListener(signal, begin);
    return Promise.resolve();
  });
}

function giveUp(limit: number): never {
  new Logger('Discovery').error(
    `Shutting down took longer than ${formatDuration(limit)}; the process exits now.`,
  );
  process.exit(1);
}
