import {
  Injectable,
  Logger,
  type OnModuleDestroy,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import type { Subscription } from 'rxjs';
import { messageOf } from '../common/errors.js';
import { flatten, isPlain } from '../common/properties/property-tree.js';
import { ConfigClient } from '../config-client/config-client.js';
import type { LogLevels } from '../telemetry/log-levels.js';
import { RookeryLogger } from '../telemetry/rookery-logger.js';
import { levelOf } from './endpoints/loggers.endpoint.js';

/**
 * Lets the configuration say what is logged, while the service runs: `logging.level.root: warn`,
 * `logging.level.Orders: debug`. A key that goes away takes its level with it.
 */
@Injectable()
export class LogLevelConfig implements OnModuleInit, OnModuleDestroy {
  private readonly log = new Logger('Management');
  private subscription: Subscription | undefined;
  private said = new Set<string>();

  constructor(
    @Optional() private readonly config?: ConfigClient,
    @Optional() private readonly logger?: RookeryLogger,
  ) {}

  onModuleInit(): void {
    const levels = this.logger?.levels;
    const { config } = this;
    if (!levels || !config) return;
    const usual = levels.root;
    const follow = () => this.follow(levels, config, usual);
    follow();
    this.subscription = config.changes$.subscribe(({ keys }) => {
      if (keys.some((key) => key.startsWith('logging.level'))) follow();
    });
  }

  onModuleDestroy(): void {
    this.subscription?.unsubscribe();
  }

  private follow(levels: LogLevels, config: ConfigClient, usual: LogLevels['root']): void {
    const tree = config.get('logging.level');
    const wanted = isPlain(tree) ? flatten(tree) : new Map<string, unknown>();
    const before = this.said;
    this.said = new Set(wanted.keys());
    for (const gone of before) if (!wanted.has(gone)) give(levels, gone, undefined, usual);
    for (const [context, word] of wanted) {
      try {
        give(levels, context, levelOf(word), usual);
      } catch (error) {
        this.log.warn(`logging.level.${context} is ignored: ${messageOf(error)}`);
      }
    }
  }
}

function give(
  levels: LogLevels,
  context: string,
  level: LogLevels['root'] | undefined,
  usual: LogLevels['root'],
): void {
  if (context.toLowerCase() === 'root') levels.root = level ?? usual;
  else levels.set(context, level);
}
