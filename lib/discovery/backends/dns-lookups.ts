import type { promises, SrvRecord } from 'node:dns';
import { isIP } from 'node:net';
import { messageOf } from '../../common/errors.js';
import { BackendUnavailableError } from '../discovery.errors.js';
import type { ServiceInstance } from '../service-instance.js';

/** What of the options a lookup needs. */
interface LookupOptions {
  readonly name: string;
  readonly records: 'SRV' | 'A' | 'AAAA';
  readonly port: number | undefined;
  readonly scheme: 'http' | 'https';
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

/** Asks DNS for the instances of a service. */
export class DnsLookups {
  constructor(
    private readonly resolver: promises.Resolver,
    private readonly options: LookupOptions,
  ) {}

  /** A name that does not exist has no instances; a server that fails, or does not answer, throws. */
  async instances(service: string, signal: AbortSignal): Promise<readonly ServiceInstance[]> {
    const name = this.options.name.replace('{service}', service);
    try {
      const places = await (this.options.records === 'SRV'
        ? this.srv(name)
        : this.addresses(name, this.options.records));
      const unique = new Map(places.map((place) => [`${place.host} ${place.port}`, place]));
      return [...unique.values()]
        .map((place) => instanceAt(service, place, this.options.scheme))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    } catch (error) {
      if (signal.aborted) return [];
      throw new BackendUnavailableError(
        `DNS gives no answer for ${name}: ${messageOf(error)}. Does the name server work? dns.servers says which.`,
        error,
      );
    }
  }

  private async addresses(name: string, records: 'A' | 'AAAA'): Promise<readonly Place[]> {
    const hosts = await unlessUnknown(
      records === 'A' ? this.resolver.resolve4(name) : this.resolver.resolve6(name),
    );
    return hosts.map((host) => ({ host, port: this.options.port ?? 0, weight: 1 }));
  }

  private async srv(name: string): Promise<readonly Place[]> {
    const records = await unlessUnknown(this.resolver.resolveSrv(name));
    const first = Math.min(...records.map(({ priority }) => priority));
    const chosen = records.filter(({ priority, port }) => priority === first && port > 0);
    const places = await Promise.all(chosen.map((record) => this.target(record)));
    return places.flat();
  }

  /** The target is a name; what is called, and what rules for addresses see, is its addresses. */
  private async target({ name, port, weight }: SrvRecord): Promise<readonly Place[]> {
    // RFC 2782: a target of "." says that the service is decidedly not available.
    if (name === '' || name === '.') return [];
    const hosts = isIP(name) === 0 ? await this.hostsOf(name) : [name];
    // A weight of 0 asks for very little traffic rather than none.
    return hosts.map((host) => ({ host, port, weight: weight === 0 ? 0.01 : weight }));
  }

  private async hostsOf(name: string): Promise<readonly string[]> {
    const four = await unlessUnknown(this.resolver.resolve4(name));
    return four.length > 0 ? four : unlessUnknown(this.resolver.resolve6(name));
  }
}

function instanceAt(
  service: string,
  { host, port, weight }: Place,
  scheme: 'http' | 'https',
): ServiceInstance {
  const id = `${service}-${host.replaceAll(':', '-')}-${port}`;
  return {
    id,
    service,
    host,
    port,
    ports: {},
    scheme,
    status: 'up',
    weight,
    tags: [],
    metadata: {},
  };
}

/** No such name, and no such records of it, are answers too. */
async function unlessUnknown<T>(answer: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await answer;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw error;
  }
}
