import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Live } from '../common/live.js';
import { messageOf } from '../common/errors.js';
import { GatewayDoors } from './door/gateway-doors.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from './gateway.options.js';
import { LocalPaths } from './routes/local-paths.js';
import { type RouteConflict, RouteClaims } from './routes/route-claims.js';
import { RouteCompiler } from './routes/route-compiler.js';
import type { DiscoveredRoute, RouteDefinition } from './routes/route-definition.js';
import { RouteMembers } from './routes/route-members.js';
import { RouteNotices } from './routes/route-notices.js';
import { ROUTE_SOURCES, type RouteSnapshot, type RouteSource } from './routes/route-source.js';
import {
  type ExplainedRequest,
  explainRequest,
  type RouteExplanation,
} from './routes/route-explanation.js';
import { findShadows, type RouteShadow } from './routes/route-shadows.js';
import { refuseTwins, withoutTwins } from './routes/route-twins.js';
import { type CompiledRoute, type LocalPath, RouteTable } from './routes/route-table.js';
import type { Route } from './routes/route.js';

/** A route, as people see it. */
export type RouteView = Pick<
  Route,
  'id' | 'path' | 'methods' | 'hosts' | 'to' | 'order' | 'source' | 'timeout' | 'metadata'
>;

/**
 * The gateway's routes of now.
 *
 * The table is replaced as a whole when a source says something new; requests under way keep the route they had.
 */
@Injectable()
export class GatewayRoutes implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Gateway');
  private readonly claims: RouteClaims;
  private readonly lives: Live<RouteSnapshot>[] = [];
  private readonly snapshots = new Map<RouteSource, RouteSnapshot>();
  private local: readonly LocalPath[] = [];
  private live = new RouteTable({ local: [], explicit: [], discovered: [] });
  private lost: readonly RouteConflict[] = [];
  private unreadable: readonly string[] = [];
  private hidden: readonly RouteShadow[] = [];

  constructor(
    private readonly compiler: RouteCompiler,
    private readonly localPaths: LocalPaths,
    private readonly clock: Clock,
    private readonly notices: RouteNotices,
    private readonly members: RouteMembers,
    private readonly doors: GatewayDoors,
    @Inject(ROUTE_SOURCES) private readonly sources: readonly RouteSource[],
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {
    this.claims = new RouteClaims(settings.discovery.claims);
  }

  /** The table of now. */
  get table(): RouteTable {
    return this.live;
  }

  /** Every route that is served. */
  list(): readonly RouteView[] {
    return this.live.routes.map((route) => {
      const { id, path, methods, hosts, to, order, source, timeout, metadata } = route;
      return { id, path, methods, hosts, to, order, source, timeout, metadata };
    });
  }

  /** The discovered routes that are not served, because their place belongs to another service. */
  conflicts(): readonly RouteConflict[] {
    return this.lost;
  }

  /** Routes of one service that answer before those of another; none while `routeConflictPolicy.shadow` is off. */
  shadows(): readonly RouteShadow[] {
    return this.hidden;
  }

  /**
   * What becomes of a request, why, and what would answer it otherwise; by the table that requests are led by.
   *
   * @example
   * routes.explain({ method: 'GET', url: '/api/orders/7?full', headers: { host: 'shop.example.com' } }).route;
   */
  explain(request: ExplainedRequest): RouteExplanation {
    return explainRequest(this.live, request, this.settings.limits.encodedSlash);
  }

  /** What of the services' manifests and of the configuration could not be read or served, a sentence each. */
  refused(): readonly string[] {
    return this.unreadable;
  }

  /** Wrong routes and filters of the options stop the start, and guards that cannot be made. */
  async onModuleInit(): Promise<void> {
    await this.doors.ready();
    refuseTwins(this.settings.routes.map((route) => this.compiler.explicit(route)));
    await this.members.ready();
  }

  /** Waits for what the sources know already, so that it is served from the first request on. */
  async onApplicationBootstrap(): Promise<void> {
    this.local = this.localPaths.collect();
    const own = this.settings.routes.map((route) => this.compiler.explicit(route));
    this.notices.tellShadowed(own, this.local);
    await Promise.all(this.sources.map((source) => this.follow(source)));
  }

  onApplicationShutdown(): void {
    for (const live of this.lives) live.close();
  }

  /** Follows a source; resolves when it has said something, or has failed for the first time. */
  private follow(source: RouteSource): Promise<void> {
    return new Promise((resolve) => {
      const complain = (problem: string) => (error: unknown) => {
        this.logger.warn(`The routes of ${source.name} ${problem}: ${messageOf(error)}`);
        resolve();
      };
      const live = new Live({
        clock: this.clock,
        open: (signal) => source.routes(signal),
        onError: complain('cannot be read'),
        onListenerError: complain('cannot be served'),
      });
      live.onChange((snapshot) => {
        this.snapshots.set(source, snapshot);
        this.rebuild();
      });
      this.lives.push(live);
      void live.ready().then(resolve);
    });
  }

  private rebuild(): void {
    const refused: string[] = [];
    const { served, conflicts } = this.claims.settle(this.discovered(refused));
    const { compiler, live: before } = this;
    const explicit = this.written('explicit', refused);
    const fallback = this.written('fallback', refused);
    const compiled = compileAll(explicit, (route) => compiler.explicit(route), refused);
    this.live = new RouteTable({
      local: this.local,
      explicit: withoutTwins(compiled, refused),
      discovered: compileAll(served, (route) => compiler.discovered(route), refused),
      fallback: compileAll(fallback, (route) => compiler.fallback(route), refused),
      strategy: this.settings.routeResolutionStrategy,
    });
    this.hidden = this.settings.routeConflictPolicy.shadow === 'off' ? [] : findShadows(served);
    this.lost = conflicts;
    this.unreadable = refused;
    this.notices.tellConflicts(conflicts);
    this.notices.tellShadows(this.hidden);
    this.notices.tellRefused(refused);
    this.notices.tellChange(before, this.live);
  }

  private written(kind: 'explicit' | 'fallback', refused: string[]): readonly RouteDefinition[] {
    // In the order of the sources, whichever spoke first.
    const all = this.sources.flatMap((source) => this.snapshots.get(source) ?? []);
    return all.flatMap((snapshot) => {
      if (snapshot.kind !== kind) return [];
      if (snapshot.kind === 'explicit') refused.push(...(snapshot.refused ?? []));
      return snapshot.routes;
    });
  }

  private discovered(refused: string[]): readonly DiscoveredRoute[] {
    const all = [...this.snapshots.values()].filter((snapshot) => snapshot.kind === 'discovered');
    refused.push(...all.flatMap((snapshot) => snapshot.refused));
    return all.flatMap(({ routes }) => routes);
  }
}

/** A route that cannot be compiled is left out and said, so that it costs only itself. */
function compileAll<D>(
  definitions: readonly D[],
  compile: (definition: D) => CompiledRoute,
  refused: string[],
): readonly CompiledRoute[] {
  return definitions.flatMap((definition) => {
    try {
      return [compile(definition)];
    } catch (error) {
      refused.push(messageOf(error));
      return [];
    }
  });
}
