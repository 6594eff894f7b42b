import { isServiceName } from '../../common/service-identity.js';
import type { InstanceStatus, ServiceInstance } from '../service-instance.js';
import { array, asText, bad, entries, object, port, text, texts } from './json-fields.js';

const STATUSES: readonly InstanceStatus[] = ['up', 'degraded', 'draining', 'down'];

/** Copies what an instance has, field by field, so that nothing else comes along. */
export function readInstance(value: unknown): ServiceInstance {
  const fields = object(value);
  const { service, scheme, weight, zone, version } = fields;
  const status = STATUSES.find((each) => each === fields['status']);
  if (typeof service !== 'string' || !isServiceName(service)) throw bad('service');
  if (scheme !== 'http' && scheme !== 'https') throw bad('scheme');
  if (typeof weight !== 'number' || weight < 0) throw bad('weight');
  if (!status) throw bad('status');
  return {
    id: text(fields, 'id', 512),
    service,
    host: text(fields, 'host', 512),
    port: port(fields['port']),
    ports: entries(fields, 'ports', port),
    scheme,
    status,
    weight,
    ...(zone !== undefined && { zone: text(fields, 'zone', 512) }),
    ...(version !== undefined && { version: text(fields, 'version', 512) }),
    tags: texts(array(fields, 'tags')),
    metadata: entries(fields, 'metadata', asText),
  };
}
