import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';

/**
 * Runs tasks when the application begins to close, before any provider of it is destroyed.
 *
 * Nest destroys modules by their distance from the root module, and global modules last of all. A hook of ours would
 * come after the database is gone while requests still want it. Two doors come earlier:
 * 1. Nest 12 awaits `httpAdapter.beforeClose()` ahead of every hook.
 * 2. Nest 11 does not know it, and applications without HTTP have no adapter. The module that has this provider is put
 *    at the distance -1, ahead of the root module, so that this hook is awaited before all others.
 * Whichever door opens first runs the tasks; the other waits for them.
 */
@Injectable()
export class EarlyShutdown implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Discovery');
  private readonly tasks: (() => Promise<void>)[] = [];
  private running: Promise<void> | undefined;

  constructor(
    modules: ModulesContainer,
    private readonly host: HttpAdapterHost,
  ) {
    // Distances are known before the first provider is made, and Nest sorts by them once, in init().
    for (const module of modules.values()) {
      if (module.providers.has(EarlyShutdown)) module.distance = -1;
    }
  }

  /** Adds a task; all run at the same time, once. */
  add(task: () => Promise<void>): void {
    this.tasks.push(task);
  }

  onModuleInit(): void {
    // Nest types it as answering nothing, and awaits what it answers.
    const adapter = this.host.httpAdapter as { beforeClose?: () => unknown } | undefined;
    if (!adapter) return;
    const original = adapter.beforeClose?.bind(adapter);
    adapter.beforeClose = async () => {
      await this.run();
      await original?.();
    };
  }

  async onModuleDestroy(): Promise<void> {
    await this.run();
  }

  private run(): Promise<void> {
    this.running ??= this.runAll();
    return this.running;
  }

  private async runAll(): Promise<void> {
    const outcomes = await Promise.allSettled(this.tasks.map((task) => task()));
    for (const outcome of outcomes) {
      // A task that fails must not keep the application from closing.
      if (outcome.status === 'rejected') this.logger.error(outcome.reason);
    }
  }
}
