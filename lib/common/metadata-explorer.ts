import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

type InstanceWrapper = ReturnType<DiscoveryService['getControllers']>[number];

/** A class, abstract or with a private constructor too. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- a constructor that nobody may call has no other type
export type Type<T = object> = Function & { readonly prototype: T };

/** Finds the application's own providers and controllers at start; Nest's `DiscoveryService`, adapted. */
@Injectable()
export class MetadataExplorer {
  constructor(private readonly discovery: DiscoveryService) {}

  /** Every provider that is an instance of a class; request-scoped ones have no instance to give. */
  providersOf<T>(type: Type<T>): readonly T[] {
    const found = new Set<T>();
    for (const wrapper of this.discovery.getProviders()) {
      // What a factory made has no class whose dependencies could be looked at.
      const isThere = wrapper.isNotMetatype || wrapper.isDependencyTreeStatic();
      if (isThere && wrapper.instance instanceof type) found.add(wrapper.instance as T);
    }
    return [...found];
  }

  /** The classes of providers and controllers that are made anew for each request or each user. */
  scoped(): readonly Type[] {
    const all = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    return all
      .filter((wrapper) => !wrapper.isNotMetatype && !wrapper.isDependencyTreeStatic())
      .flatMap(({ metatype }) => (typeof metatype === 'function' ? [metatype as Type] : []));
  }

  /** Every controller, as Nest keeps it. */
  controllers(): readonly InstanceWrapper[] {
    return this.discovery.getControllers().filter((wrapper) => wrapper.metatype);
  }
}
