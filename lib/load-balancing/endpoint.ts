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
  /** How often it was ejected without having been healthy for as long in between; each time takes longer. */
  ejections = 0;
  /** How long its calls take until the head of the answer, smoothed, in ms; 0 before the first. */
  latency = 0;
  /** When its last answer came, in ms of the clock; 0 before the first. */
  answeredAt = 0;
  /** How much of its weight counts while it starts slowly, from 0 to 1. */
  warmth = 1;
  /** Calls and failures of late; what is older than the detector's window is forgotten with the next failure. */
  calls = 0;
  failures = 0;
  /** Since when they are counted, in ms of the clock. */
  countedSince = 0;

  constructor(
    /** The newest registration; replaced when the registry says something new of the same id. */
    public instance: ServiceInstance,
  ) {}

  /** `host:port`, with an IPv6 address in brackets. */
  get authority(): string {
    const { host, port } = this.instance;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  /** Its share beside its peers, now; one below zero counts as none. */
  get weight(): number {
    const { weight } = this.instance;
    return weight > 0 ? weight * this.warmth : 0;
  }

  /** The instance is gone from the registry: no further calls come, those under way may finish. */
  retire(): void {}
}
