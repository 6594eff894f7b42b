import type { InstanceStatus, ServiceInstance } from '../service-instance.js';
import { CheckPrint, type FailingChecks, keyOf, type RegisteredInstance } from './consul-checks.js';
import { notFromConsul } from './consul-http.js';
import { heartbeatCheck, readStatus, toConsulStatus, worse } from './consul-status.js';
import { isLoopback } from './loopback.js';

/** A probe by the agent, beside the heartbeat. */
interface ConsulProbe {
  readonly http?: string | undefined;
  readonly tcp?: string | undefined;
  readonly grpc?: string | undefined;
  readonly interval: number;
  readonly timeout: number;
}

export interface RegistrationTerms {
  /** The name in Consul, which carries the namespace. */
  readonly name: string;
  /** How long a registration outlives its last heartbeat, in ms. */
  readonly ttl: number;
  /** When Consul forgets an instance that stays critical, in ms. */
  readonly deregisterCriticalAfter: number;
  readonly probe: ConsulProbe | undefined;
  /** Whether the agent is on the machine of the instance. */
  readonly localAgent: boolean;
}

/** The body of a registration, in Consul's words. */
export function toRegistration(instance: ServiceInstance, terms: RegistrationTerms): object {
  const { id, weight, ports, scheme, version, zone } = instance;
  const ours = {
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [`port-${name}`, `${port}`])),
    scheme,
    ...(version !== undefined && { version }),
    ...(zone !== undefined && { zone }),
    // Consul's own weights are whole numbers from 1 to 65535.
    ...(!isConsulWeight(weight) && { weight: String(weight) }),
  };
  return {
    ID: id,
    Name: terms.name,
    // An agent on this machine knows the address that its cluster has for the machine, which a loopback address is not.
    ...(terms.localAgent && isLoopback(instance.host) ? {} : { Address: instance.host }),
    Port: instance.port,
    Tags: instance.tags,
    Weights: { Passing: Math.min(65_535, Math.max(1, Math.round(weight))), Warning: 1 },
    Meta: { ...instance.metadata, ...ours },
    Checks: [heartbeat(instance, terms), ...probes(instance, terms)],
  };
}

function heartbeat({ id, status }: ServiceInstance, terms: RegistrationTerms): object {
  return {
    CheckID: heartbeatCheck(id),
    Name: 'heartbeat',
    TTL: `${terms.ttl}ms`,
    Status: toConsulStatus(status),
    // A check has no output yet when it is registered; the note stands in for it.
    Notes: status,
    DeregisterCriticalServiceAfter: `${terms.deregisterCriticalAfter}ms`,
  };
}

function probes(instance: ServiceInstance, { probe }: RegistrationTerms): object[] {
  if (!probe) return [];
  const { http, tcp, grpc, interval, timeout } = probe;
  const host = instance.host.includes(':') ? `[${instance.host}]` : instance.host;
  const at = (name: string) => `${host}:${portNamed(instance, name)}`;
  const [kind, target] =
    http !== undefined
      ? (['http', { HTTP: `${instance.scheme}://${at('main')}${http}` }] as const)
      : tcp !== undefined
        ? (['tcp', { TCP: at(tcp) }] as const)
        : ([
            'grpc',
            { GRPC: at(grpc ?? 'main'), GRPCUseTLS: instance.scheme === 'https' },
          ] as const);
  return [
    {
      CheckID: `${heartbeatCheck(instance.id)}:${kind}`,
      Name: kind,
      ...target,
      Interval: `${interval}ms`,
      Timeout: `${timeout}ms`,
      Status: 'passing',
    },
  ];
}

function portNamed({ port, ports }: ServiceInstance, name: string): number {
  return ports[name] ?? port;
}

/** An instance, and where Consul has it. */
export interface HealthEntry {
  readonly instance: ServiceInstance;
  readonly registered: RegisteredInstance;
}

/** Reads an answer of `/v1/health/service`. Entries without an address and a port cannot be called and are left out. */
export function readHealthEntries(service: string, json: unknown): readonly HealthEntry[] {
  if (!Array.isArray(json)) throw notFromConsul('does not hold a list of instances');
  const taken = new Set<string>();
  const entries: HealthEntry[] = [];
  for (const entry of json.map(asObject)) {
    const instance = readEntry(service, entry);
    if (!instance) continue;
    const node = asText(asObject(entry['Node'])['Node']);
    const registered = {
      service: asText(asObject(entry['Service'])['Service']).toLowerCase(),
      node,
      key: keyOf(node, instance.id),
    };
    // An id is unique for one agent only; the second of its kind gets the name of its node.
    const id = taken.has(instance.id) ? `${instance.id}@${node}` : instance.id;
    taken.add(id);
    entries.push({ instance: { ...instance, id }, registered });
  }
  return entries;
}

/** The same instances with the statuses that their checks have come to; the same list where none is another. */
export function judgeEntries(
  entries: readonly HealthEntry[],
  failing: FailingChecks,
): readonly HealthEntry[] {
  let differs = false;
  const judged = entries.map((entry) => {
    const { instance, registered } = entry;
    const status = failing.statusOf(registered);
    if (status === instance.status) return entry;
    differs = true;
    return { registered, instance: { ...instance, status } };
  });
  return differs ? judged : entries;
}

/** Whether an instance would have a better status than it is shown with. */
export function improvesEntries(entries: readonly HealthEntry[], failing: FailingChecks): boolean {
  return entries.some(({ instance, registered }) => {
    const status = failing.statusOf(registered);
    return worse(status, instance.status) !== status;
  });
}

/** Which checks of instances an answer of `/v1/health/service` shows. */
export function readPrint(json: unknown): string {
  const print = new CheckPrint();
  for (const entry of asList(json)) {
    for (const check of asList(asObject(entry)['Checks']).map(asObject)) {
      if (asText(check['ServiceName']) !== '') print.note(Number(check['CreateIndex']));
    }
  }
  return print.text;
}

/** Reads an answer of `/v1/catalog/services`. */
export function readServiceNames(json: unknown): readonly string[] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw notFromConsul('does not hold the names of services');
  }
  return Object.keys(json)
    .filter((name) => name !== 'consul')
    .toSorted();
}

type Fields = Readonly<Record<string, unknown>>;

function readEntry(service: string, entry: Fields): ServiceInstance | undefined {
  const registered = asObject(entry['Service']);
  const id = asText(registered['ID']);
  const host = asText(registered['Address']) || asText(asObject(entry['Node'])['Address']);
  const port = asPort(registered['Port']);
  if (!id || !host || port === undefined) return undefined;
  const { ours, ports, metadata } = splitMeta(asObject(registered['Meta']));
  const secure = ours.scheme === 'https' || (!ours.scheme && metadata['secure'] === 'true');
  return {
    id,
    service,
    host,
    port,
    ports,
    scheme: secure ? 'https' : 'http',
    status: readChecks(entry['Checks'], heartbeatCheck(id)),
    weight: readWeight(ours.weight, asObject(registered['Weights'])['Passing']),
    ...(ours.zone && { zone: ours.zone }),
    ...(ours.version && { version: ours.version }),
    tags: asList(registered['Tags']).map(asText),
    metadata,
  };
}

function splitMeta(meta: Fields) {
  const { scheme, version, zone, weight, ...rest } = meta;
  const ports: [string, number][] = [];
  const metadata: [string, string][] = [];
  for (const [key, value] of Object.entries(rest)) {
    const port = key.startsWith('port-') ? asPort(Number(value)) : undefined;
    if (port === undefined) metadata.push([key, asText(value)]);
    else ports.push([key.slice('port-'.length), port]);
  }
  return {
    ours: {
      scheme: asText(scheme),
      version: asText(version),
      zone: asText(zone),
      weight: asText(weight),
    },
    ports: Object.fromEntries(ports),
    metadata: Object.fromEntries(metadata),
  };
}

function readChecks(value: unknown, heartbeat: string): InstanceStatus {
  let all: InstanceStatus = 'up';
  for (const check of asList(value).map(asObject)) {
    const report = {
      id: asText(check['CheckID']),
      status: asText(check['Status']),
      says: () => asText(check['Output']) || asText(check['Notes']),
    };
    all = worse(all, readStatus(report, heartbeat));
  }
  return all;
}

function readWeight(exact: string, passing: unknown): number {
  const weight = exact === '' ? Number.NaN : Number(exact);
  if (Number.isFinite(weight) && weight >= 0) return weight;
  return typeof passing === 'number' && passing >= 0 ? passing : 1;
}

function isConsulWeight(weight: number): boolean {
  return Number.isInteger(weight) && weight >= 1 && weight <= 65_535;
}

function asPort(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 65_535
    ? value
    : undefined;
}

function asObject(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
