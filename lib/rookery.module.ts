import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { ClientModule } from './client/client.module.js';
import { group, made, optional, type OptionReader, textOf } from './common/option-readers.js';
import { assertServiceName } from './common/service-identity.js';
import { ConfigClientModule } from './config-client/config-client.module.js';
import { DiscoveryModule } from './discovery/discovery.module.js';
import { GatewayModule } from './gateway/gateway.module.js';
import { HealthModule } from './health/health.module.js';
import { ManagementModule } from './management/management.module.js';
import type { RookeryOptions } from './rookery.options.js';
import { ResilienceModule } from './resilience/resilience.module.js';
import { TelemetryModule } from './telemetry/telemetry.module.js';
import { UpstreamModule } from './upstream/upstream.module.js';

/** What a room checks itself, or one of a few values. */
function room(what: string, ...besides: readonly boolean[]): OptionReader<unknown> {
  const isRoom = (value: unknown): value is unknown =>
    (typeof value === 'object' && value !== null) || besides.some((each) => each === value);
  return optional(made(isRoom, what));
}

const serviceName: OptionReader<string> = (value, path) => {
  const name = textOf()(value, path);
  assertServiceName(path, name);
  return name;
};

const read = group({
  name: optional(serviceName),
  version: optional(textOf()),
  discovery: room('an object'),
  config: room('an object or false', false),
  health: room('an object'),
  resilience: room('an object'),
  upstreams: room('an object'),
  client: room('an object'),
  gateway: room('an object, true or false', true, false),
  logs: room('an object, true or false', true, false),
  management: room('an object, true or false', true, false),
  metrics: room('an object, true or false', true, false),
  tracing: room('true or false', true, false),
});

/** Under this token a start with a wrong option fails. */
const ROOKERY_OPTIONS = Symbol('ROOKERY_OPTIONS');

/**
 * All a service among services needs, in one import: discovery, calls to others, central configuration and health;
 * a gateway and JSON logs when asked for.
 *
 * @example
 * @Module({ imports: [RookeryModule.forRoot({ name: 'orders' })], controllers: [OrdersController] })
 * export class AppModule {}
 */
@Module({})
export class RookeryModule {
  /** Wires every room with its defaults; an option that cannot be used stops the start with `InvalidOptionsError`. */
  static forRoot(options: RookeryOptions = {}): DynamicModule {
    const { usable, problem } = sift(options);
    const { name, version, gateway = false, logs = false, config = {} } = usable;
    const { metrics = false, tracing = true, management = true } = usable;
    return {
      module: RookeryModule,
      providers: problem === undefined ? [] : [failing(problem)],
      imports: [
        DiscoveryModule.forRoot({ ...usable.discovery, ...given({ name, version }) }),
        HealthModule.forRoot({ ...usable.health, ...given({ name }) }),
        UpstreamModule.forRoot({ ...usable.upstreams }),
        ResilienceModule.forRoot({ ...usable.resilience }),
        ClientModule.forRoot({ ...usable.client }),
        ...(config === false
          ? []
          : [ConfigClientModule.forRoot({ ...config, ...given({ name }) })]),
        ...(gateway === false ? [] : [GatewayModule.forRoot(gateway === true ? {} : gateway)]),
        ...(management === false
          ? []
          : [ManagementModule.forRoot(management === true ? {} : management)]),
        TelemetryModule.forRoot({
          ...(typeof logs === 'object' ? logs : { logs }),
          metrics,
          tracing,
        }),
      ],
    };
  }
}

interface Sifted {
  readonly usable: RookeryOptions;
  /** What is wrong with the first that is not. */
  readonly problem?: unknown;
}

/** Keeps what can be used: a decorator that threw would end the import with a stack, before anybody could explain. */
function sift(options: unknown): Sifted {
  const wrong = problemOf(options);
  if (wrong === undefined) return { usable: options as RookeryOptions };
  const entries = typeof options === 'object' ? Object.entries(options ?? {}) : [];
  const usable = entries.filter(([key, value]) => problemOf({ [key]: value }) === undefined);
  // Without any name the rooms would complain about that instead.
  return { usable: { name: 'unnamed', ...Object.fromEntries(usable) }, problem: wrong };
}

function problemOf(options: unknown): unknown {
  try {
    read(options, 'rookery');
    return undefined;
  } catch (error) {
    return error;
  }
}

function failing(problem: unknown): Provider {
  return {
    provide: ROOKERY_OPTIONS,
    useFactory: () => {
      throw problem;
    },
  };
}

/** Leaves out what was not given, so that the rooms' own defaults hold. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
