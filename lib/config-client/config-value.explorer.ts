import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { messageOf } from '../common/errors.js';
import { MetadataExplorer, type Type } from '../common/metadata-explorer.js';
import { ConfigClient } from './config-client.js';
import type { ConfigChange } from './config-client.events.js';
import {
  CONFIG_CHANGES,
  CONFIG_VALUES,
  type ConfigChangeMark,
  type ConfigValueMark,
} from './config-value.decorator.js';

/** Binds what `@ConfigValue` and `@OnConfigChange` have marked, once at the start. */
@Injectable()
export class ConfigValueExplorer implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Config');
  private readonly endings: (() => void)[] = [];

  constructor(
    private readonly explorer: MetadataExplorer,
    private readonly client: ConfigClient,
  ) {}

  onModuleInit(): void {
    for (const instance of this.instances()) {
      for (const mark of marksOf(CONFIG_VALUES, instance) as readonly ConfigValueMark[])
        this.bind(instance, mark);
      for (const mark of marksOf(CONFIG_CHANGES, instance) as readonly ConfigChangeMark[]) {
        this.subscribe(instance, mark);
      }
    }
  }

  onModuleDestroy(): void {
    for (const end of this.endings) end();
  }

  private instances(): ReadonlySet<object> {
    const found = new Set<object>(this.explorer.providersOf(Object as Type));
    for (const wrapper of this.explorer.controllers()) {
      const instance: unknown = wrapper.isDependencyTreeStatic() ? wrapper.instance : undefined;
      if (typeof instance === 'object' && instance !== null) found.add(instance);
    }
    return found;
  }

  /** On the instance, not on the class: two applications in one process must not share it. */
  private bind(instance: object, { property, key, fallback }: ConfigValueMark): void {
    Object.defineProperty(instance, property, {
      configurable: true,
      enumerable: true,
      get: () => this.client.get(key, fallback),
    });
  }

  private subscribe(instance: object, { method, pattern }: ConfigChangeMark): void {
    const call = async (change: ConfigChange): Promise<void> => {
      const target = instance as Record<string | symbol, (change: ConfigChange) => unknown>;
      try {
        await target[method]?.(change);
      } catch (error) {
        this.logger.error(
          `${instance.constructor.name}.${String(method)} failed on a change of the configuration: ${messageOf(error)}`,
        );
      }
    };
    this.endings.push(this.client.onChange(pattern, call));
  }
}

function marksOf(name: string, instance: object): readonly unknown[] {
  return (Reflect.getMetadata(name, instance) ?? []) as readonly unknown[];
}
