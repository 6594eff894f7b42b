import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { messageOf } from '../common/errors.js';
import { MetadataExplorer } from '../common/metadata-explorer.js';
import { ChangeCheck } from './change-check.js';
import { ConfigLoader } from './config-loader.js';

/** How often the checks are asked, in ms. */
const INTERVAL = 250;

/** Watches the service for a while after each change of the configuration, and takes back one that does harm. */
@Injectable()
export class ChangeTrial implements OnApplicationBootstrap, OnModuleDestroy {
  private checks: readonly ChangeCheck[] = [];
  private stop: () => void = () => {};

  constructor(
    private readonly loader: ConfigLoader,
    private readonly explorer: MetadataExplorer,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    const { rollback } = this.loader;
    if (!rollback) return;
    this.checks = this.explorer.providersOf(ChangeCheck);
    this.loader.onTrial = () => {
      this.begin(rollback.window);
      return true;
    };
  }

  onModuleDestroy(): void {
    this.stop();
    this.loader.onTrial = undefined;
  }

  private begin(window: number): void {
    this.stop();
    for (const check of this.checks) check.begin();
    const endsAt = this.clock.now() + window;
    this.stop = this.clock.every(Math.min(INTERVAL, window), () => {
      const problem = this.problem();
      if (problem !== undefined) {
        this.stop();
        this.loader.revert(problem);
      } else if (this.clock.now() >= endsAt) {
        this.stop();
        this.loader.prove();
      }
    });
  }

  private problem(): string | undefined {
    for (const check of this.checks) {
      try {
        const problem = check.problem();
        if (problem !== undefined) return problem;
      } catch (error) {
        return `the check "${check.name}" failed: ${messageOf(error)}`;
      }
    }
    return undefined;
  }
}
