import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

type InstanceWrapper = ReturnType<DiscoveryService['getControllers']>[number];

/** A class, abstract or not. */
export type Type<T = object> = abstract new (...args: never[]) => T;

/** Finds the application's own providers and controllers at start; Nest's `DiscoveryService`, adapted. */
@Injectable()
export class MetadataExplorer {
  constructor(private readonly discovery: DiscoveryService) {}

  /** Every provider that is an instance of a class; request-scoped ones have no instance to give. */
  providersOf<T>(type: Type<T>): readonly T[] {
    const found = new Set<T>();
    for (const wrapper of this.discovery.getProviders()) {
      if (
        !wrapper.isNotMetatype &&
        wrapper.isDependencyTreeStatic() &&
        wrapper.instance instanceof type
      )
        found.add(wrapper.instance);
      else if (wrapper.isNotMetatype && wrapper.instance instanceof type)
        found.add(wrapper.instance);
    }
    return [...found];
  }

  /** Every controller, as Nest keeps it. */
  controllers(): readonly InstanceWrapper[] {
    return this.discovery.getControllers().filter((wrapper) => wrapper.metatype);
  }
}
