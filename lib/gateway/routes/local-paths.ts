import { Injectable } from '@nestjs/common';
import { parsePath } from '../../discovery/manifest/path-pattern.js';
import { RouteCollector } from '../../discovery/manifest/route-collector.js';
import { MANIFEST_PATH } from '../../discovery/manifest/route-manifest.js';
import type { LocalPath } from './route-table.js';

/** What the gateway's own application answers, so that no route of another service can take its place. */
@Injectable()
export class LocalPaths {
  constructor(private readonly collector: RouteCollector) {}

  collect(): readonly LocalPath[] {
    const own = this.collector.collect().flatMap(({ method, path }) => {
      const pattern = read(path);
      return pattern ? [{ method, pattern }] : [];
    });
    return [...own, { method: 'ALL', pattern: parsePath(MANIFEST_PATH) }];
  }
}

/** Fastify takes expressions in paths that cannot be compared; such a path is left to Nest where no route matches. */
function read(path: string) {
  try {
    return parsePath(path);
  } catch {
    return undefined;
  }
}
