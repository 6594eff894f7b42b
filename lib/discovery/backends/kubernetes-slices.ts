import type { InstanceStatus, ServiceInstance } from '../service-instance.js';
import { type Fields, object } from './json-fields.js';

/** The instances of a service out of its EndpointSlices. */
export function readSlices(
  service: string,
  slices: ReadonlyMap<string, ReadonlyMap<string, Fields>>,
  portName: string,
): readonly ServiceInstance[] {
  const found = new Map<string, ServiceInstance>();
  // A pod with two addresses stands in two slices; IPv4, which sorts first, is kept.
  const sorted = [...(slices.get(service)?.values() ?? [])].toSorted((a, b) =>
    textOf(a['addressType']) < textOf(b['addressType']) ? -1 : 1,
  );
  for (const slice of sorted) {
    const ports = readPorts(slice['ports']);
    for (const endpoint of listOf(slice['endpoints'])) {
      const instance = readEndpoint(service, { slice, endpoint, ports, portName });
      if (instance && !found.has(instance.id)) found.set(instance.id, instance);
    }
  }
  return [...found.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** Whose slice it is; undefined for one that belongs to no Service. */
export function serviceOf(slice: Fields): string | undefined {
  const labels = fieldsOf(fieldsOf(slice['metadata'])['labels']);
  return textOf(labels['kubernetes.io/service-name']) || undefined;
}

interface Found {
  readonly slice: Fields;
  readonly endpoint: Fields;
  readonly ports: ReadonlyMap<string, NamedPort>;
  readonly portName: string;
}

interface NamedPort {
  readonly port: number;
  readonly secure: boolean;
}

function readEndpoint(
  service: string,
  { slice, endpoint, ports, portName }: Found,
): ServiceInstance | undefined {
  const [host] = Array.isArray(endpoint['addresses']) ? (endpoint['addresses'] as unknown[]) : [];
  const name = ports.has(portName) ? portName : ports.keys().next().value;
  const main = name === undefined ? undefined : ports.get(name);
  if (typeof host !== 'string' || !main) return undefined;
  const pod = textOf(fieldsOf(endpoint['targetRef'])['name']);
  const node = textOf(endpoint['nodeName']);
  const zone = textOf(endpoint['zone']);
  const labels = fieldsOf(fieldsOf(slice['metadata'])['labels']);
  const version = textOf(labels['app.kubernetes.io/version']);
  const others = [...ports].filter(([each]) => each !== name && each !== '');
  return {
    id: pod || `${service}-${host.replaceAll(':', '-')}-${main.port}`,
    service,
    host,
    port: main.port,
    ports: Object.fromEntries(others.map(([each, { port }]) => [each, port])),
    scheme: main.secure ? 'https' : 'http',
    status: readConditions(fieldsOf(endpoint['conditions'])),
    weight: 1,
    ...(zone && { zone }),
    ...(version && { version }),
    tags: [],
    metadata: { ...(pod && { pod }), ...(node && { node }) },
  };
}

/** What is not said counts as the API's documentation has it: ready, serving as ready, and not terminating. */
function readConditions({ ready, serving, terminating }: Fields): InstanceStatus {
  const serves = (serving ?? ready ?? true) === true;
  if (terminating === true) return serves ? 'draining' : 'down';
  return (ready ?? true) === true ? 'up' : 'down';
}

function readPorts(value: unknown): ReadonlyMap<string, NamedPort> {
  const ports = new Map<string, NamedPort>();
  for (const each of listOf(value)) {
    const { port, protocol } = each;
    if (typeof port !== 'number' || (protocol ?? 'TCP') !== 'TCP') continue;
    const name = textOf(each['name']);
    ports.set(name, { port, secure: name === 'https' || each['appProtocol'] === 'https' });
  }
  return ports;
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function fieldsOf(value: unknown): Fields {
  return value === undefined || value === null ? {} : object(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
