import { promises } from 'node:dns';
import { isIP } from 'node:net';
import {
  duration,
  group,
  integer,
  list,
  oneOf,
  optional,
  refuse,
  text,
  textOf,
} from '../../common/option-readers.js';
import { isServiceName } from '../../common/service-identity.js';
import type { Duration } from '../../common/duration.js';
import type { BackendContext, BackendFactory, DiscoveryBackend } from '../discovery-backend.js';
import { InstanceSource } from '../instance-source.js';
import type { ServiceInstance } from '../service-instance.js';
import { DnsLookups } from './dns-lookups.js';
import { distinct } from './shared-stream.js';

export interface DnsOptions {
  /**
   * The name that is looked up, in which `{service}` stands for the service; for SRV such as
   * `'_http._tcp.{service}.shop.svc.cluster.local'`.
   */
  readonly name: string;
  /** SRV records tell ports and weights; A and AAAA records are addresses only. @default 'SRV' */
  readonly records?: 'SRV' | 'A' | 'AAAA';
  /** The port of every instance, with A and AAAA records. */
  readonly port?: number;
  /** What the port speaks. @default 'http' */
  readonly scheme?: 'http' | 'https';
  /** The services there are; DNS cannot list them. A gateway's routes need them. @default none */
  readonly services?: readonly string[];
  /** How often to look: answers to SRV questions tell no time to live to Node. @default '5s' */
  readonly every?: Duration;
  /** Name servers as addresses, with a port if it is not 53. @default those of the system */
  readonly servers?: readonly string[];
}

/**
 * Finds instances by DNS: headless services of Kubernetes, Consul's DNS, Cloud Map, or plain records. Nothing registers.
 *
 * Of SRV records those of the lowest priority count (RFC 2782). Answers over UDP are short: Consul gives 3 of many
 * instances unless told otherwise (`udp_answer_limit`).
 *
 * @throws InvalidOptionsError when an option cannot be used
 * @example
 * dns({ name: '{service}.shop.svc.cluster.local', records: 'A', port: 3000, services: ['orders'] });
 */
export function dns(options: DnsOptions): BackendFactory {
  const settings = readFields(options, 'dns');
  if (settings.records !== 'SRV' && settings.port === undefined) {
    refuse('dns.port', 'is missing', `${settings.records} records tell no port. Write it.`);
  }
  settings.services.forEach((service, index) => {
    if (isServiceName(service)) return;
    refuse(`dns.services[${index}]`, `is '${service}', which is no DNS label`, 'Write a name.');
  });
  const resolver = makeResolver(settings.servers);
  return (context): DiscoveryBackend => ({
    name: 'dns',
    remote: true,
    source: new DnsSource(new DnsLookups(resolver, settings), settings, context),
  });
}

const readFields = group({
  name: textOf({
    matches: /^[\w.-]*\{service\}[\w.-]*$/,
    remedy: "Write it with {service} in it, such as '{service}.internal'.",
  }),
  records: oneOf(['SRV', 'A', 'AAAA'], 'SRV'),
  port: optional(integer(0, { min: 1, max: 65_535 })),
  scheme: oneOf(['http', 'https'], 'http'),
  services: list(text('')),
  every: duration('5s', { min: 100 }),
  servers: list(textOf()),
});

type DnsSettings = ReturnType<typeof readFields>;

function makeResolver(servers: readonly string[]): promises.Resolver {
  const resolver = new promises.Resolver({ timeout: 2_000, tries: 2 });
  servers.forEach((server, index) => {
    const host = server.replace(/^\[(.*)\](?::\d+)?$/, '$1');
    if (isIP(host) === 0 && isIP(host.replace(/:\d+$/, '')) === 0) {
      refuse(`dns.servers[${index}]`, `is '${server}', no address`, "Write it like '10.0.0.53'.");
    }
  });
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
}

class DnsSource extends InstanceSource {
  constructor(
    private readonly lookups: DnsLookups,
    private readonly settings: DnsSettings,
    private readonly context: BackendContext,
  ) {
    super();
  }

  override instances(
    service: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServiceInstance[]> {
    return distinct(this.look(service, signal));
  }

  override async *services(signal: AbortSignal): AsyncIterable<readonly string[]> {
    if (!signal.aborted) yield this.settings.services.toSorted();
  }

  private async *look(
    service: string,
    signal: AbortSignal,
  ): AsyncGenerator<readonly ServiceInstance[]> {
    while (!signal.aborted) {
      const found = await this.lookups.instances(service, signal);
      if (signal.aborted) return;
      yield found;
      const { every } = this.settings;
      await this.context.clock.sleep(every * (0.9 + Math.random() * 0.2), signal);
    }
  }
}
