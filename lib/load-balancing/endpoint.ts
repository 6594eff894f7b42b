import type { ServiceInstance } from '../discovery/service-instance.js';

/** Whether an endpoint is trusted: `ejected` gets no calls for a while, on `probation` the next failure ejects it again. */
export type EndpointState = 'healthy' | 'ejected' | 'probation';

/** An instance as its caller sees it; it lives as long as the instance is registered, and so do its figures. */
export class Endpoint {
  /** Calls under way. */
  active = 0;
  /** Failures since the last success. */
  consecutiveFailures = 0;
  state: EndpointState = 'healthy';
  /** Whether it was ejected because no connection to it came about; such an endpoint takes no load, whoever is sent there. */
  unreachable = false;
  /** How often it was ejected without being healthy in between; each time takes longer. */
  ejections = 0;
  /** How long successful calls take, smoothed, in ms; 0 before the first. */
  latency = 0;

  constructor(
    /** The newest registration; replaced when the registry says something new of the same id. */
    public instance: ServiceInstance,
  ) {}

  /** `host:port`, with an IPv6 address in brackets. */
  get authority(): string {
    const { host, port } = this.instance;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  /** The instance is gone from the registry: no further calls come, those under way may finish. */
  retire(): void {}
}
