import { Inject, Injectable } from '@nestjs/common';
import { milliseconds } from '../../common/duration.js';
import { messageOf } from '../../common/errors.js';
import { isServiceName } from '../../common/service-identity.js';
import { pathsLeadingTo } from '../../discovery/manifest/hidden-paths.js';
import { canFill, parsePath, type PathPattern } from '../../discovery/manifest/path-pattern.js';
import { isRouteHost } from '../../discovery/manifest/route-host.js';
import { DIGEST_KEY } from '../../discovery/manifest/route-manifest.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import { Upstreams } from '../../upstream/upstreams.js';
import { GatewayDoors } from '../door/gateway-doors.js';
import { RouteDefinitionError } from '../gateway.errors.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import type { DiscoveredRoute, RouteDefinition } from './route-definition.js';
import { mergeTimeouts } from './route-timeouts.js';
import type { Route } from './route.js';
import { RouteMembers } from './route-members.js';
import { subsetTest } from './route-subset.js';
import type { CompiledRoute } from './route-table.js';

/** Makes routes of their definitions, so that nothing of a definition is read while requests run. */
@Injectable()
export class RouteCompiler {
  /** Compiled before: sources give the same objects as long as nothing changes. */
  private readonly known = new WeakMap<RouteDefinition, CompiledRoute>();

  constructor(
    private readonly upstreams: Upstreams,
    private readonly members: RouteMembers,
    private readonly doors: GatewayDoors,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  /** @throws RouteDefinitionError */
  explicit(definition: RouteDefinition): CompiledRoute {
    return this.remember(definition, 'explicit');
  }

  /** @throws RouteDefinitionError */
  discovered(definition: DiscoveredRoute): CompiledRoute {
    return this.remember(definition, 'discovered');
  }

  /** @throws RouteDefinitionError */
  fallback(definition: RouteDefinition): CompiledRoute {
    return this.remember(definition, 'fallback');
  }

  private remember(definition: RouteDefinition, source: Route['source']): CompiledRoute {
    const compiled = this.known.get(definition) ?? this.compile(definition, source);
    this.known.set(definition, compiled);
    return compiled;
  }

  private compile(definition: DiscoveredRoute | RouteDefinition, source: Route['source']) {
    const { path, to, order = 0, timeout, metadata = {} } = definition;
    const methods = listOf(definition.method).map((method) => method.toUpperCase());
    const id = definition.id ?? [...methods, path].join(' ');
    const hosts = listOf(definition.host).map((host) => readHost(id, host));
    const pattern = readPath(id, path);
    const target = readTarget(id, definition, pattern);
    const members = this.members.of(definition, { id, path, to });
    const route = {
      id,
      path,
      methods,
      hosts,
      to,
      order,
      source,
      metadata,
      upstream: this.upstreamOf(id, to),
      timeout: timeout === undefined ? this.settings.timeout : milliseconds(timeout),
      timeouts: mergeTimeouts(definition.timeouts, this.settings.timeouts),
      bodyLimit: definition.bodyLimit ?? this.settings.limits.body,
      keepHost: hosts.length > 0,
      accepts: acceptsOf(id, definition),
      hides:
        'hides' in definition && definition.hides ? pathsLeadingTo(definition.hides) : undefined,
      door: this.doorOf(definition, { id, path, to }),
      ...members,
    };
    return { route, pattern, target };
  }

  private doorOf(definition: RouteDefinition, route: { id: string; path: string; to: string }) {
    try {
      return this.doors.of(route, definition);
    } catch (error) {
      if (error instanceof RouteDefinitionError) throw error;
      throw new RouteDefinitionError(route.id, `cannot be served. ${messageOf(error)}`);
    }
  }

  private upstreamOf(id: string, to: string) {
    if (isServiceName(to)) return this.upstreams.get(to);
    const url = URL.canParse(to) ? new URL(to) : undefined;
    if (!url || !/^https?:$/.test(url.protocol) || to.replace(/\/$/, '') !== url.origin) {
      throw new RouteDefinitionError(
        id,
        `leads to '${to}'. Write a service's name, or an origin such as 'http://10.0.0.9:8080'.`,
      );
    }
    return this.upstreams.to(url.origin);
  }
}

function readPath(id: string, path: string): PathPattern {
  try {
    return parsePath(path);
  } catch (error) {
    throw new RouteDefinitionError(id, `cannot be matched. ${messageOf(error)}`);
  }
}

function readTarget(
  id: string,
  { rewrite, stripPrefix }: RouteDefinition,
  pattern: PathPattern,
): PathPattern | undefined {
  if (rewrite !== undefined && stripPrefix !== undefined)
    throw new RouteDefinitionError(id, "has both 'rewrite' and 'stripPrefix'. Keep one.");
  const target =
    stripPrefix === undefined ? rewrite : withoutPrefix(id, pattern.source, stripPrefix);
  if (target === undefined) return undefined;
  const read = readPath(id, target);
  if (canFill(read, pattern)) return read;
  throw new RouteDefinitionError(
    id,
    `becomes '${target}', for which '${pattern.source}' lacks parameters. Use the same names, and braces in both.`,
  );
}

function withoutPrefix(id: string, path: string, prefix: string): string {
  const end = prefix.replace(/\/+$/, '');
  const rest = path.slice(end.length);
  // On the border of a segment: '/api' is no prefix of '/apix'.
  if (path.startsWith(end) && /^(?:[/{]|$)/.test(rest))
    return rest.startsWith('/') ? rest : `/${rest}`;
  throw new RouteDefinitionError(id, `does not begin with '${prefix}', which it should strip.`);
}

function readHost(id: string, host: string): string {
  const lower = host.toLowerCase();
  if (isRouteHost(lower)) return lower;
  throw new RouteDefinitionError(
    id,
    `has the host '${host}'. Write it like 'shop.example.com' or '*.example.com', without a port.`,
  );
}

/** While a service is rolled out, only the instances that published a route get its requests; of them the route's subset. */
function acceptsOf(id: string, definition: DiscoveredRoute | RouteDefinition) {
  const digests = 'digests' in definition ? definition.digests : undefined;
  const within = definition.subset && subsetTest(id, definition.subset);
  if (!digests) return within;
  const has = ({ instance }: Endpoint) => digests.has(instance.metadata[DIGEST_KEY] ?? '');
  return within ? (endpoint: Endpoint) => has(endpoint) && within(endpoint) : has;
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}
