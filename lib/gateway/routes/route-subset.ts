import type { Endpoint } from '../../load-balancing/endpoint.js';
import { RouteDefinitionError } from '../gateway.errors.js';
import { parseVersionRange } from '../predicates/version-range.js';
import type { RouteSubset } from './route-definition.js';

/** Whether an endpoint belongs to a subset; throws `RouteDefinitionError` where its range is none. */
export function subsetTest(
  id: string,
  { version, zone, metadata = {} }: RouteSubset,
): (endpoint: Endpoint) => boolean {
  const range = version === undefined ? () => true : parseVersionRange(version);
  if (!range) {
    throw new RouteDefinitionError(
      id,
      `wants instances of the versions '${version}'. Write a range, such as '2.x' or '>=1.2 <3'.`,
    );
  }
  const wanted = Object.entries(metadata);
  return ({ instance }) =>
    (version === undefined || (instance.version !== undefined && range(instance.version))) &&
    (zone === undefined || instance.zone === zone) &&
    wanted.every(([key, value]) => instance.metadata[key] === value);
}
