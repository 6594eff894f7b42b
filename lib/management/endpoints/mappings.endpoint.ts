import { Injectable, Optional } from '@nestjs/common';
import { type ManagementAnswer, ManagementEndpoint } from '../../common/management-endpoint.js';
import { type CollectedRoute, RouteCollector } from '../../discovery/manifest/route-collector.js';

/** The handlers of the service's controllers, in the shape of Spring Boot's `/mappings`, which Spring Boot Admin shows. */
@Injectable()
export class MappingsEndpoint extends ManagementEndpoint {
  override readonly id = 'mappings';

  constructor(@Optional() private readonly collector?: RouteCollector) {
    super();
  }

  override answer(): ManagementAnswer {
    const dispatcherServlet = this.collector?.collect().map(mapping) ?? [];
    const mappings = { dispatcherServlets: { dispatcherServlet } };
    return { body: { contexts: { application: { mappings } } } };
  }
}

function mapping({ method, path, name }: CollectedRoute): object {
  return {
    handler: name,
    predicate: `{${method} [${path}]}`,
    details: {
      requestMappingConditions: {
        methods: method === 'ALL' ? [] : [method],
        patterns: [path],
        consumes: [],
        headers: [],
        params: [],
        produces: [],
      },
    },
  };
}
