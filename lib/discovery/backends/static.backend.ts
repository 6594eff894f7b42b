import {
  group,
  integer,
  list,
  made,
  number,
  oneOf,
  optional,
  type OptionReader,
  record,
  refuse,
  textOf,
} from '../../common/option-readers.js';
import { isServiceName } from '../../common/service-identity.js';
import type { BackendFactory, DiscoveryBackend } from '../discovery-backend.js';
import { InstanceSource } from '../instance-source.js';
import type { ServiceInstance } from '../service-instance.js';

/** An instance of a fixed list, where more is to be said of it than its address. */
export interface StaticInstance {
  /** An IP address or a host name. */
  readonly host: string;
  /** The main port, 1 to 65535. */
  readonly port: number;
  /** What the main port speaks. @default 'http' */
  readonly scheme?: 'http' | 'https';
  /** A name of its own. @default '<service>-<host>-<port>' */
  readonly id?: string;
  /** Further ports by name, such as `{ tcp: 4001 }`. @default {} */
  readonly ports?: Readonly<Record<string, number>>;
  /** Its share of the traffic beside its peers. @default 1 */
  readonly weight?: number;
  /** Where it stands. @default none */
  readonly zone?: string;
  /** Which release it runs. @default none */
  readonly version?: string;
  /** @default [] */
  readonly tags?: readonly string[];
  /** @default {} */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Services by name, each with its instances as URLs such as `'http://10.0.0.7:3001'` or as objects. */
export type StaticInstances = Readonly<Record<string, readonly (string | StaticInstance)[]>>;

/**
 * A fixed list of instances instead of a registry; nothing registers, and nothing ever changes.
 *
 * @throws InvalidOptionsError when a service's name, a URL or a field cannot be used
 * @example
 * staticInstances({
 *   orders: ['http://10.0.0.7:3001', 'http://10.0.0.8:3001'],
 *   payments: [{ host: 'payments.internal', port: 443, scheme: 'https', weight: 2 }],
 * });
 */
export function staticInstances(services: StaticInstances): BackendFactory {
  const known = readServices(services);
  return (): DiscoveryBackend => ({
    name: 'static',
    remote: false,
    source: new StaticSource(known),
  });
}

class StaticSource extends InstanceSource {
  constructor(private readonly known: ReadonlyMap<string, readonly ServiceInstance[]>) {
    super();
  }

  override async *instances(
    service: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServiceInstance[]> {
    if (!signal.aborted) yield this.known.get(service) ?? [];
  }

  override async *services(signal: AbortSignal): AsyncIterable<readonly string[]> {
    if (!signal.aborted) yield [...this.known.keys()];
  }
}

const PATH = 'staticInstances';

const readPort: OptionReader<number> = (value, path) =>
  value === undefined
    ? refuse(path, 'is missing', 'Write the port, such as 3001.')
    : integer(0, { min: 1, max: 65_535 })(value, path);

const readText = made((value): value is string => typeof value === 'string', 'a text');

const readFields = group({
  host: textOf({
    matches: /^[^\s/@]+$/,
    remedy: "Write an IP address or a host name, such as '10.0.0.7'.",
  }),
  port: readPort,
  scheme: oneOf(['http', 'https'], 'http'),
  id: optional(textOf()),
  ports: record(readPort),
  weight: number(1, { min: 0 }),
  zone: optional(textOf()),
  version: optional(textOf()),
  tags: list(textOf()),
  metadata: record(readText),
});

const readServices: (services: unknown) => ReadonlyMap<string, readonly ServiceInstance[]> = (
  services,
) => {
  const lists = record(list((value, path) => ({ value, path })))(services, PATH);
  const ids = new Set<string>();
  const known = Object.entries(lists).map(([service, items]) => {
    if (!isServiceName(service)) {
      refuse(
        `${PATH}.${service}`,
        'is no name of a service',
        'Use lower-case letters, digits and inner hyphens, at most 63.',
      );
    }
    const instances = items.map(({ value, path }) => {
      const instance = readInstance(service)(value, path);
      if (ids.has(instance.id)) {
        refuse(path, `is '${instance.id}' a second time`, 'Leave it out, or give it another id.');
      }
      ids.add(instance.id);
      return instance;
    });
    return [service, instances] as const;
  });
  return new Map(known);
};

function readInstance(service: string): OptionReader<ServiceInstance> {
  return (value, path) => {
    const fields = readFields(typeof value === 'string' ? fromUrl(value, path) : value, path);
    const { zone, version, id, ...rest } = fields;
    return {
      ...rest,
      id: id ?? `${service}-${fields.host}-${fields.port}`,
      service,
      status: 'up',
      ...(zone !== undefined && { zone }),
      ...(version !== undefined && { version }),
    };
  };
}

function fromUrl(text: string, path: string): StaticInstance {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    refuse(path, `is '${text}', no URL of http or https`, "Write it like 'http://10.0.0.7:3001'.");
  }
  if (url.username || url.password) {
    refuse(path, 'carries a user or a password', 'Leave them out of the address.');
  }
  if (url.pathname !== '/' || url.search || url.hash) {
    refuse(
      path,
      `is '${text}', which is more than an address`,
      `Write it like '${url.protocol}//${url.host}'.`,
    );
  }
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const usual = scheme === 'https' ? 443 : 80;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? usual : Number(url.port),
    scheme,
  };
}
