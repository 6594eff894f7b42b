import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import { Upstreams } from '../../upstream/upstreams.js';
import { Definitions, type RouteTools } from '../definition.js';
import { filters as builtInFilters } from '../filters/built-in.js';
import { type GatewayFilter, linkFilters } from '../filters/gateway-filter.js';
import { RouteGuards } from '../filters/guard.filter.js';
import { ResponseStore } from '../response-cache/response-store.js';
import { RouteDefinitionError } from '../gateway.errors.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import { predicates as builtInPredicates } from '../predicates/built-in.js';
import type { RoutePredicate } from '../predicates/route-predicate.js';
import type { RouteDefinition } from './route-definition.js';
import type { NamedPredicate, Route } from './route.js';

type Members = Pick<Route, 'predicates' | 'filters' | 'filterNames'>;

interface Named<M> {
  readonly name: string;
  readonly member: M;
}

/** Makes the predicates, guards and filters of routes. */
@Injectable()
export class RouteMembers {
  private readonly predicates: Definitions<RoutePredicate>;
  private readonly filters: Definitions<GatewayFilter>;

  constructor(
    private readonly upstreams: Upstreams,
    private readonly clock: Clock,
    private readonly guards: RouteGuards,
    private readonly responses: ResponseStore,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {
    const { predicates, filters } = settings.extensions;
    this.predicates = new Definitions('predicate', [...builtInPredicates, ...predicates]);
    this.filters = new Definitions('filter', [...builtInFilters, ...filters]);
  }

  /** Resolves when all guards are made; throws where the gateway's own filters cannot be. */
  async ready(): Promise<void> {
    this.ownFilters({ id: 'every', path: '/', to: '' });
    await this.guards.ready();
  }

  /** @throws RouteDefinitionError */
  of(definition: RouteDefinition, route: RouteTools['route']): Members {
    const own = this.ownFilters(route);
    try {
      const tools = this.tools(route);
      const guards = [...this.settings.guards, ...(definition.guards ?? [])].map(
        (guard): Named<GatewayFilter> => ({
          name: typeof guard === 'function' ? guard.name : guard.constructor.name,
          member: this.guards.filter(guard),
        }),
      );
      const written = make(this.filters, definition.filters, 'filters', tools);
      const all = [...guards, ...own, ...written];
      return { predicates: this.predicatesOf(definition, tools), ...linked(all) };
    } catch (error) {
      throw new RouteDefinitionError(route.id, `cannot be served. ${messageOf(error)}`);
    }
  }

  private predicatesOf(
    { predicates }: RouteDefinition,
    tools: RouteTools,
  ): readonly NamedPredicate[] | undefined {
    const made = make(this.predicates, predicates, 'predicates', tools);
    if (made.length === 0) return undefined;
    return made.map(({ name, member }) => ({ name, test: member }));
  }

  private ownFilters(route: RouteTools['route']): readonly Named<GatewayFilter>[] {
    return make(this.filters, this.settings.filters, 'gateway.filters', this.tools(route));
  }

  private tools(route: RouteTools['route']): RouteTools {
    const { clock, upstreams, responses } = this;
    return { clock, upstreams, responses, route, random: Math.random };
  }
}

function make<M>(
  definitions: Definitions<M>,
  specs:
    Parameters<Definitions<M>['use']>[0][] | readonly Parameters<Definitions<M>['use']>[0][] = [],
  path: string,
  tools: RouteTools,
): readonly Named<M>[] {
  return specs.map((spec, index) => {
    const use = definitions.use(spec, `${path}[${index}]`);
    const { definition } = use;
    return { name: definition.name, member: definition.make(use.args, use.path, tools) };
  });
}

function linked(filters: readonly Named<GatewayFilter>[]): Omit<Members, 'predicates'> {
  if (filters.length === 0) return { filters: undefined, filterNames: [] };
  const chain = linkFilters(
    filters.map(({ member }) => member),
    (exchange) => exchange.carrier.proceed(),
  );
  return { filters: chain, filterNames: filters.map(({ name }) => name) };
}
