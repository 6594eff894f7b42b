import { Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ConfigClient } from './config-client.js';
import type { SectionDefinition } from './config-section.js';

/** The token under which a feature module keeps its sections. */
export const CONFIG_SECTIONS = Symbol('rookery config sections');

/** The sections that any module of the application has asked for, before providers are made. */
export function sectionsIn(modules: ModulesContainer): readonly SectionDefinition[] {
  const found = new Set<SectionDefinition>();
  for (const module of modules.values()) {
    const value: unknown = module.providers.get(CONFIG_SECTIONS)?.instance;
    if (Array.isArray(value)) for (const each of value as SectionDefinition[]) found.add(each);
  }
  return [...found];
}

/**
 * The injected sections: objects that stay the same and are filled anew with each good configuration.
 *
 * Fields are replaced one after the other within one turn of the event loop; code that awaits in between may see the
 * newer ones afterwards, and keeps a copy if that matters.
 */
@Injectable()
export class LiveSections {
  private readonly live = new Map<SectionDefinition, object>();

  constructor(private readonly client: ConfigClient) {
    client.mirror(() => this.refill());
  }

  /** The object of a section. */
  get(definition: SectionDefinition): object {
    const known = this.live.get(definition);
    if (known) return known;
    const value = this.client.section(definition);
    const made = Object.assign(
      Object.create(Object.getPrototypeOf(value) as object),
      value,
    ) as object;
    this.live.set(definition, made);
    return made;
  }

  private refill(): void {
    for (const [definition, target] of this.live) {
      const value = this.client.section(definition) as Record<string, unknown>;
      for (const key of Object.keys(target)) {
        if (!Object.hasOwn(value, key)) delete (target as Record<string, unknown>)[key];
      }
      Object.assign(target, value);
    }
  }
}
