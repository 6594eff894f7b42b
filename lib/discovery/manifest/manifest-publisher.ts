import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { RequestListener } from '../../common/request-listener.js';
import { ServiceIdentity } from '../../common/service-identity.js';
import { LocalInstance } from '../local-instance.js';
import { exposedRoutes, isMarked } from './exposed-routes.js';
import { manifestToMetadata } from './manifest-metadata.js';
import { RouteCollector } from './route-collector.js';
import { MANIFEST_PATH, type SealedManifest, sealManifest } from './route-manifest.js';

/**
 * Tells gateways which routes of this service are public: in its registration, and at `/.well-known/rookery/manifest`.
 *
 * It answers ahead of Nest, so that no prefix, guard or version stands before it.
 */
@Injectable()
export class ManifestPublisher implements OnApplicationBootstrap {
  private sealed: SealedManifest | undefined;

  constructor(
    private readonly collector: RouteCollector,
    private readonly identity: ServiceIdentity,
    private readonly instance: LocalInstance,
    listener: RequestListener,
  ) {
    listener.take((request, response) => this.serve(request, response), { listed: true });
  }

  /** What is published, or `undefined` while nothing is public. */
  get manifest(): SealedManifest | undefined {
    return this.sealed;
  }

  onApplicationBootstrap(): void {
    const collected = this.collector.collect();
    // An application without public routes may have no name, as a gateway that only reads the registry has none.
    if (!collected.some(isMarked)) return;
    const routes = exposedRoutes(this.identity.name, collected);
    if (routes.length === 0) return;
    this.sealed = sealManifest(this.identity.name, routes);
    this.instance.announce({ metadata: manifestToMetadata(this.sealed) });
  }

  private serve(request: IncomingMessage, response: ServerResponse): boolean {
    const { sealed } = this;
    if (!sealed || request.url !== MANIFEST_PATH) return false;
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    const body = Buffer.from(sealed.body);
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': body.length,
      etag: `"${sealed.digest}"`,
    });
    response.end(body);
    return true;
  }
}
