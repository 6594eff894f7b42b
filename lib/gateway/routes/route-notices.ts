import { Injectable, Logger } from '@nestjs/common';
import { EventHub } from '../../common/event-hub.js';
import { type PathPattern, shapeOf } from '../../discovery/manifest/path-pattern.js';
import type { RouteConflict } from './route-claims.js';
import type { RouteShadow } from './route-shadows.js';
import type { CompiledRoute, LocalPath, RouteTable } from './route-table.js';

/** Tells people and observers, once each, what a new table brings. */
@Injectable()
export class RouteNotices {
  private readonly logger = new Logger('Gateway');
  private conflicts: ReadonlySet<string> = new Set();
  private refused: ReadonlySet<string> = new Set();
  private shadows: ReadonlySet<string> = new Set();

  constructor(private readonly events: EventHub) {}

  /** Explicit routes that can never be reached, because a controller of the gateway answers there. */
  tellShadowed(explicit: readonly CompiledRoute[], local: readonly LocalPath[]): void {
    const own = new Set(local.flatMap(({ method, pattern }) => keysOf([method], pattern)));
    for (const { route, pattern } of explicit) {
      const methods = route.methods.length > 0 ? route.methods : ['ALL'];
      if (keysOf(methods, pattern).some((key) => !own.has(key))) continue;
      this.logger.warn(
        `The gateway's route '${route.id}' is never reached: a controller of the gateway answers there first. Change one of the paths.`,
      );
    }
  }

  /** Conflicts that were not there before. */
  tellConflicts(conflicts: readonly RouteConflict[]): void {
    for (const conflict of conflicts) {
      if (this.conflicts.has(keyOf(conflict))) continue;
      this.logger.warn(sentenceOf(conflict));
      this.events.emit('route.conflicted', { conflict });
    }
    this.conflicts = new Set(conflicts.map(keyOf));
  }

  /** Shadows that were not there before. */
  tellShadows(shadows: readonly RouteShadow[]): void {
    const sentences = shadows.map(shadowSentence);
    for (const sentence of sentences) if (!this.shadows.has(sentence)) this.logger.warn(sentence);
    this.shadows = new Set(sentences);
  }

  /** Sentences that were not there before. */
  tellRefused(sentences: readonly string[]): void {
    for (const sentence of sentences) if (!this.refused.has(sentence)) this.logger.warn(sentence);
    this.refused = new Set(sentences);
  }

  /** What is served now and was not, and the other way round. */
  tellChange(before: RouteTable, after: RouteTable): void {
    const old = new Set(before.routes.map(({ id }) => id));
    const now = new Set(after.routes.map(({ id }) => id));
    const added = [...now].filter((id) => !old.has(id));
    const removed = [...old].filter((id) => !now.has(id));
    if (added.length > 0 || removed.length > 0)
      this.events.emit('routes.changed', { count: after.routes.length, added, removed });
  }
}

function shadowSentence(shadow: RouteShadow): string {
  const { path, service, route, shadowedPath, shadowedService, shadowed } = shadow;
  return `${path} of "${service}" (${route}) answers requests that ${shadowedPath} of "${shadowedService}" (${shadowed}) matches as well. If that is not meant, give one of them another path.`;
}

function keysOf(methods: readonly string[], { variants }: PathPattern): readonly string[] {
  return methods.flatMap((method) => variants.map((each) => `${method} ${shapeOf(each)}`));
}

function keyOf({ route, method, owner }: RouteConflict): string {
  return `${method} ${route} ${owner}`;
}

function sentenceOf(conflict: RouteConflict): string {
  const { method, path, route, service, owner, ownerRoute } = conflict;
  const place = `${method} ${path} is published by "${service}" (${route})`;
  const why = ownerRoute
    ? `belongs to "${owner}" (${ownerRoute}), which had it first`
    : `is claimed for "${owner}" in gateway.discovery.claims`;
  return `${place}, but ${why}; it is not served for "${service}". Give one of them another path, or name the owner in gateway.discovery.claims.`;
}
