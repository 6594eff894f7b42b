import { Backoff } from '../../common/backoff.js';
import type { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import { isServiceName } from '../../common/service-identity.js';
import type { DiscoveryClient } from '../../discovery/discovery-client.js';
import type { ServiceInstance } from '../../discovery/service-instance.js';
import type { Upstreams } from '../../upstream/upstreams.js';
import { fetchManifest } from './manifest-call.js';
import type { RouteSnapshot } from './route-source.js';
import { ServiceRoutes } from './service-routes.js';

/** What a watch over routes needs, and whom it tells. */
export interface RouteWatchContext {
  readonly client: DiscoveryClient;
  readonly upstreams: Upstreams;
  readonly clock: Clock;
  /** How long a service that left keeps its routes, in ms. */
  readonly hold: number;
  /** Whether a service's routes are wanted. */
  readonly wants: (service: string) => boolean;
  readonly onChange: () => void;
  readonly signal: AbortSignal;
}

/** One service that is watched. */
interface Watched {
  readonly routes: ServiceRoutes;
  readonly stop: () => void;
  /** Why a manifest could not be fetched, by digest. */
  readonly failures: Map<string, string>;
  /** Takes back that the routes are forgotten. */
  keep: (() => void) | undefined;
}

/** Watches every service of the registry for the routes it publishes. */
export class RouteWatch {
  private readonly watched = new Map<string, Watched>();

  constructor(private readonly context: RouteWatchContext) {}

  /** Takes the names of all services of now. */
  follow(names: readonly string[]): void {
    const { wants } = this.context;
    const wanted = new Set(names.filter((name) => isServiceName(name) && wants(name)));
    for (const name of wanted) if (!this.watched.has(name)) this.watch(name);
    for (const [name, watched] of this.watched) {
      if (!wanted.has(name)) this.leave(watched, () => this.forget(name));
    }
  }

  snapshot(): RouteSnapshot {
    const all = [...this.watched.values()];
    return {
      kind: 'discovered',
      routes: all.flatMap(({ routes }) => routes.routes()),
      refused: all.flatMap(({ routes, failures }) => routes.refused.concat([...failures.values()])),
    };
  }

  close(): void {
    for (const name of this.watched.keys()) this.forget(name);
  }

  private watch(name: string): void {
    const { client } = this.context;
    const watched: Watched = {
      routes: new ServiceRoutes(name),
      stop: client.onChange(name, ({ all }) => this.take(watched, all)),
      failures: new Map(),
      keep: undefined,
    };
    this.watched.set(name, watched);
    this.take(watched, client.view(name).all);
  }

  private take(watched: Watched, instances: readonly ServiceInstance[]): void {
    if (instances.length === 0) {
      return this.leave(watched, () => {
        if (watched.routes.update([]).changed) this.context.onChange();
      });
    }
    watched.keep?.();
    watched.keep = undefined;
    const { changed, missing } = watched.routes.update(instances);
    for (const digest of missing) {
      if (watched.failures.has(digest)) continue;
      watched.failures.set(
        digest,
        `The manifest ${digest} of "${watched.routes.service}" is being fetched.`,
      );
      void this.fetch(watched, digest);
    }
    if (changed || missing.length > 0) this.context.onChange();
  }

  /** Forgets after a while, unless the service comes back. */
  private leave(watched: Watched, forget: () => void): void {
    watched.keep ??= this.context.clock.after(this.context.hold, forget);
  }

  private forget(name: string): void {
    const watched = this.watched.get(name);
    watched?.keep?.();
    watched?.stop();
    this.watched.delete(name);
    if (!this.context.signal.aborted) this.context.onChange();
  }

  /** Asks until it is there, or nobody publishes it any more. */
  private async fetch(watched: Watched, digest: string): Promise<void> {
    const { upstreams, clock, signal, onChange } = this.context;
    const { service } = watched.routes;
    const backoff = new Backoff({ first: 250 });
    while (!signal.aborted && watched.routes.lacks(digest)) {
      try {
        const body = await fetchManifest(upstreams.get(service), digest, signal);
        watched.routes.learn(digest, () => body);
      } catch (error) {
        watched.failures.set(digest, messageOf(error));
        onChange();
        await clock.sleep(backoff.next(), signal);
      }
    }
    watched.failures.delete(digest);
    if (!signal.aborted) onChange();
  }
}
