import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable, Module, type OnModuleInit, type Provider } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { ConfigClient } from './config-client.js';
import { isPlain, type PropertyTree } from '../common/properties/property-tree.js';

/** The object behind Nest's `ConfigService`; its token is a string that @nestjs/config does not export. */
const NEST_CONFIGURATION = 'CONFIGURATION_TOKEN';

/** Where `ConfigModule.forRoot({ validate })` keeps the validated environment variables; that is not ours. */
const VALIDATED_VARIABLES = '_PROCESS_ENV_VALIDATED';

/** Nest's own `ConfigService`, as it is. */
const NEST_CONFIG_SERVICE = Symbol('the ConfigService of @nestjs/config');

/** Brings Nest's configuration module into the application, without `forRoot`: that would read .env files into process.env. */
@Module({
  imports: [ConfigModule],
  providers: [{ provide: NEST_CONFIG_SERVICE, useExisting: ConfigService }],
  exports: [NEST_CONFIG_SERVICE],
})
export class NestConfigModule {}

/**
 * Keeps Nest's `ConfigService` in step with the `ConfigClient`.
 *
 * It rewrites the object behind the service in place, so that `get`, dotted paths and what `registerAs` injected agree;
 * never through `ConfigService.set`, which writes `process.env`. What `ConfigModule.forRoot({ load })` put there are
 * local defaults to us.
 */
@Injectable()
export class NestConfigBridge implements OnModuleInit {
  /** What others loaded into the object. */
  private readonly loaded: PropertyTree = {};
  /** What we wrote last, and the objects that were there then. */
  private written: PropertyTree = {};
  private seen = new WeakSet<object>();

  constructor(
    @Inject(NEST_CONFIGURATION) private readonly host: PropertyTree,
    private readonly client: ConfigClient,
  ) {
    client.mirror(() => this.rewrite());
    this.rewrite();
  }

  /** By now every loader of the application's own has run. */
  onModuleInit(): void {
    this.rewrite();
  }

  private rewrite(): void {
    this.collect(this.host, this.written, this.loaded);
    this.client.adopt(structuredCopy(this.loaded));
    this.written = structuredCopy(this.client.snapshot());
    this.seen = new WeakSet();
    this.write(this.host, this.written);
  }

  /** Finds what somebody else has put into the object since we wrote it. */
  private collect(host: PropertyTree, written: PropertyTree, loaded: PropertyTree): void {
    for (const [key, value] of Object.entries(host)) {
      if (host === this.host && key === VALIDATED_VARIABLES) continue;
      const ours = Object.hasOwn(written, key) ? written[key] : undefined;
      if (isPlain(value) && isPlain(ours) && this.seen.has(value)) {
        const below = loaded[key];
        const inner: PropertyTree = isPlain(below) ? below : {};
        this.collect(value, ours, inner);
        if (Object.keys(inner).length > 0) loaded[key] = inner;
      } else if (isPlain(value) || !isDeepStrictEqual(value, ours)) {
        loaded[key] = structuredCopy(value);
      }
    }
  }

  /** Makes an object like another one, in place, and touches nothing that is already alike. */
  private write(host: PropertyTree, tree: PropertyTree): void {
    this.seen.add(host);
    for (const key of Object.keys(host)) {
      const foreign = host === this.host && key === VALIDATED_VARIABLES;
      if (!foreign && !Object.hasOwn(tree, key)) delete host[key];
    }
    for (const [key, value] of Object.entries(tree)) {
      const there = Object.hasOwn(host, key) ? host[key] : undefined;
      if (isPlain(value)) {
        // A frozen object cannot be rewritten; whoever holds it keeps the old values.
        const target: PropertyTree = isPlain(there) && !Object.isFrozen(there) ? there : {};
        this.write(target, value);
        if (target !== there) host[key] = target;
      } else if (!isDeepStrictEqual(there, value)) host[key] = structuredCopy(value);
    }
  }
}

/** Copies objects and lists; anything else, such as a date or a function, is taken as it is. */
function structuredCopy<T>(value: T): T {
  if (Array.isArray(value)) return value.map(structuredCopy) as T;
  if (!isPlain(value)) return value;
  const copies = Object.entries(value).map(([key, item]) => [key, structuredCopy(item)]);
  return Object.fromEntries(copies) as T;
}

/** Nest's `ConfigService`, given out only when the first configuration is in it. */
export const configServiceProvider: Provider = {
  provide: ConfigService,
  useFactory: (service: ConfigService) => service,
  inject: [NEST_CONFIG_SERVICE, NestConfigBridge],
};
