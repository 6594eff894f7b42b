import type { InstanceStatus, ServiceInstance } from '../service-instance.js';
import { type Fields, object, plain } from './json-fields.js';

/** Between the namespace and the service; nobody writes it in a service's name by chance. */
const SEPARATOR = '--';

/** What a service is called in Eureka: `ORDERS`, or `STAGING--ORDERS` in the namespace `staging`. */
export function appName(namespace: string, service: string): string {
  return (namespace === 'default' ? service : namespace + SEPARATOR + service).toUpperCase();
}

/** The service an application of this namespace is; undefined for those of others. */
export function serviceOf(namespace: string, app: string): string | undefined {
  const name = app.toLowerCase();
  if (namespace === 'default') return name.includes(SEPARATOR) ? undefined : name;
  const prefix = namespace + SEPARATOR;
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}

/** Eureka has no word for what still works but not well; our own readers find it in the metadata. */
function toEurekaStatus(status: InstanceStatus): string {
  if (status === 'down') return 'DOWN';
  return status === 'draining' ? 'OUT_OF_SERVICE' : 'UP';
}

/** Keys that are ours, among the metadata. */
const OURS = {
  status: 'rookery-status',
  weight: 'rookery-weight',
  scheme: 'rookery-scheme',
  tags: 'rookery-tags',
  port: 'rookery-port-',
} as const;

/** What is no metadata of the user's; Java's map gets a member of its own when it is empty. */
const TAKEN = new Set<string>([OURS.status, OURS.weight, OURS.scheme, OURS.tags, '@class']);

/** The body of a registration. https://github.com/Netflix/eureka/wiki/Eureka-REST-operations */
export function toRegistration(
  instance: ServiceInstance,
  {
    app,
    ttl,
    heartbeat,
  }: { readonly app: string; readonly ttl: number; readonly heartbeat: number },
): object {
  const { id, host, port, scheme, status } = instance;
  const secure = scheme === 'https';
  return {
    instance: {
      instanceId: id,
      hostName: host,
      app,
      ipAddr: host,
      vipAddress: app.toLowerCase(),
      secureVipAddress: app.toLowerCase(),
      status: toEurekaStatus(status),
      port: { $: port, '@enabled': String(!secure) },
      securePort: { $: secure ? port : 443, '@enabled': String(secure) },
      homePageUrl: '',
      statusPageUrl: '',
      healthCheckUrl: '',
      dataCenterInfo: {
        '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo',
        name: 'MyOwn',
      },
      leaseInfo: {
        renewalIntervalInSecs: Math.max(1, Math.round(heartbeat / 1_000)),
        durationInSecs: Math.max(1, Math.ceil(ttl / 1_000)),
      },
      metadata: toMetadata(instance),
    },
  };
}

function toMetadata(instance: ServiceInstance): Readonly<Record<string, string>> {
  const { metadata, ports, zone, version, status, weight, scheme, tags } = instance;
  return {
    ...metadata,
    ...Object.fromEntries(
      Object.entries(ports).map(([name, port]) => [OURS.port + name, String(port)]),
    ),
    ...(zone !== undefined && { zone }),
    ...(version !== undefined && { version }),
    ...(status === 'degraded' && { [OURS.status]: status }),
    ...(weight !== 1 && { [OURS.weight]: String(weight) }),
    ...(tags.length > 0 && { [OURS.tags]: JSON.stringify(tags) }),
    [OURS.scheme]: scheme,
  };
}

/** An instance as Eureka shows it; undefined for one that cannot be called. */
export function readInstance(service: string, value: unknown): ServiceInstance | undefined {
  const fields = object(value);
  const metadata = texts(fields['metadata']);
  const secure = isEnabled(fields['securePort']) && !isEnabled(fields['port']);
  const port = portOf(fields[secure ? 'securePort' : 'port']);
  const host = textOf(fields['ipAddr']) || textOf(fields['hostName']);
  const id = textOf(fields['instanceId']) || textOf(fields['hostName']);
  if (!host || !id || port === undefined) return undefined;
  const { zone, version, ...rest } = metadata;
  const weight = Number(metadata[OURS.weight] ?? 1);
  const others = Object.entries(rest).filter(([key]) => key.startsWith(OURS.port));
  const free = Object.entries(rest).filter(
    ([key]) => !key.startsWith(OURS.port) && !TAKEN.has(key),
  );
  return {
    id,
    service,
    host,
    port,
    ports: Object.fromEntries(
      others.map(([key, value]) => [key.slice(OURS.port.length), Number(value)]),
    ),
    scheme: secure || metadata[OURS.scheme] === 'https' ? 'https' : 'http',
    status: readStatus(fields['status'], metadata[OURS.status]),
    weight: Number.isFinite(weight) && weight >= 0 ? weight : 1,
    ...(zone && { zone }),
    ...(version && { version }),
    tags: readTags(metadata[OURS.tags]),
    metadata: Object.fromEntries(free),
  };
}

function readStatus(status: unknown, ours: string | undefined): InstanceStatus {
  if (status === 'UP') return ours === 'degraded' ? 'degraded' : 'up';
  return status === 'OUT_OF_SERVICE' ? 'draining' : 'down';
}

function readTags(text: string | undefined): readonly string[] {
  try {
    const tags: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(tags) ? tags.map(String) : [];
  } catch {
    return [];
  }
}

/** Numbers and booleans come as texts or as themselves, by the version of the server. */
function isEnabled(port: unknown): boolean {
  return port !== undefined && plain(object(port)['@enabled']) === 'true';
}

function portOf(port: unknown): number | undefined {
  const number = Number(port === undefined ? 0 : object(port)['$']);
  return Number.isInteger(number) && number > 0 && number <= 65_535 ? number : undefined;
}

function texts(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value as Fields).map(([key, each]) => [key, plain(each)]),
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
