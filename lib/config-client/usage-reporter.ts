import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { ConfigClient } from './config-client.js';
import { ConfigLoader } from './config-loader.js';

/** How often it is said again, in ms; the server forgets it after five minutes. */
const INTERVAL = 2 * 60_000;
/** The first time, in ms: by then the application has read what it reads at the start. */
const FIRST = 2_000;
/** A server takes no more, and no longer ones. */
const MOST_KEYS = 2_000;
const LONGEST_KEY = 256;

/**
 * Says to a config server of ours which keys this instance reads and which rules it has, so that `POST /config/preview`
 * can tell whom a change would touch. No value is sent; a server that does not answer is left alone until the next time.
 */
@Injectable()
export class UsageReporter implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopped = new AbortController();
  private readonly instance = `${hostname()
    .replaceAll(/[^\w.-]/g, '-')
    .slice(0, 80)}:${process.pid}:${randomBytes(4).toString('hex')}`;
  private cancel: () => void = () => {};

  constructor(
    private readonly client: ConfigClient,
    private readonly loader: ConfigLoader,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.cancel = this.clock.after(FIRST, () => {
      void this.say();
      this.cancel = this.clock.every(INTERVAL, () => void this.say());
    });
  }

  onModuleDestroy(): void {
    this.stopped.abort();
    this.cancel();
  }

  private async say(): Promise<void> {
    const { schema } = this.loader;
    const keys = this.client.usedKeys.filter((key) => key.length <= LONGEST_KEY);
    const usage = { instance: this.instance, keys: keys.slice(0, MOST_KEYS) };
    const said = { ...usage, ...(schema === undefined ? {} : { schema }) };
    await this.loader.report(said, this.stopped.signal).catch(() => undefined);
  }
}
