import { type FactoryProvider, Logger } from '@nestjs/common';
import { messageOf } from '../common/errors.js';
import { ConfigClient } from './config-client.js';

/** How something is made of the configuration, and made anew. */
export interface RefreshableOptions<T> {
  /** The token to inject. */
  readonly provide: symbol | string;
  /** The keys it is made of: `'db'`, `'db.*'` or several. */
  readonly keys: string | readonly string[];
  readonly make: (config: ConfigClient) => T | Promise<T>;
  /** Ends an old one, after the new one is in place, and the last one with the application. @default nothing */
  readonly dispose?: (old: T) => unknown;
}

/**
 * Something made of the configuration, always the newest: read `current` each time.
 *
 * It is made anew when its keys change, without anything else of the application; one that cannot be made leaves the old
 * one in place.
 */
export class Refreshable<T> {
  private readonly logger = new Logger('Config');
  private last: Promise<void> = Promise.resolve();

  constructor(
    /** The newest one. */
    private value: T,
    private readonly options: RefreshableOptions<T>,
    private readonly config: ConfigClient,
  ) {
    const { keys } = options;
    // Changes during a renewal wait for it, so that the newest configuration is made last.
    const renew = () => (this.last = this.last.then(() => this.renew()));
    const stops = [keys].flat().map((key) => config.onChange(key, renew));
    this.stop = () => stops.forEach((stop) => stop());
  }

  private readonly stop: () => void;

  get current(): T {
    return this.value;
  }

  /** @internal Nest calls it, because it is what a provider's factory made. */
  async onModuleDestroy(): Promise<void> {
    this.stop();
    await this.last;
    await this.options.dispose?.(this.value);
  }

  private async renew(): Promise<void> {
    try {
      const old = this.value;
      this.value = await this.options.make(this.config);
      await this.options.dispose?.(old);
    } catch (error) {
      this.logger.error(
        `${String(this.options.provide)} could not follow a change of the configuration: ${messageOf(error)}`,
      );
    }
  }
}

/**
 * A provider that follows the configuration without the application being built anew.
 *
 * @example
 * providers: [refreshable({ provide: POOL, keys: 'db', make: (config) => new Pool(config.get('db')), dispose: (pool) => pool.end() })]
 * constructor(@Inject(POOL) private readonly pool: Refreshable<Pool>) {}
 * find() { return this.pool.current.query('…'); }
 */
export function refreshable<T>(options: RefreshableOptions<T>): FactoryProvider<Refreshable<T>> {
  return {
    provide: options.provide,
    inject: [ConfigClient],
    useFactory: async (config: ConfigClient) =>
      new Refreshable(await options.make(config), options, config),
  };
}
