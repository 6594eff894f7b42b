/** `up` and `degraded` take traffic; `draining` is leaving; `down` fails its health check. */
export type InstanceStatus = 'up' | 'degraded' | 'draining' | 'down';

/** One running copy of a service, as it is registered. */
export interface ServiceInstance {
  /** Unique in the whole registry and for each process: `orders-10.0.0.7-3001-x7k2`. */
  readonly id: string;
  /** The logical name, a DNS label: `orders`. */
  readonly service: string;
  /** An IP address or a host name that callers can reach. */
  readonly host: string;
  /** The main port, where HTTP answers. */
  readonly port: number;
  /** Further ports by name, such as `{ tcp: 4001 }`. */
  readonly ports: Readonly<Record<string, number>>;
  /** What the main port speaks. */
  readonly scheme: 'http' | 'https';
  readonly status: InstanceStatus;
  /** Its share of the traffic beside its peers; 1 is usual. */
  readonly weight: number;
  readonly zone?: string;
  readonly version?: string;
  readonly tags: readonly string[];
  /** Keys are letters, digits, `_` and `-`; values at most 512 characters, 64 of them (Consul's limits). */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Whether an instance takes traffic. */
export function takesTraffic(instance: ServiceInstance): boolean {
  return instance.status === 'up' || instance.status === 'degraded';
}
