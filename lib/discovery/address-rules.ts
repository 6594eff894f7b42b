import { BlockList, isIP } from 'node:net';
import { refuse } from '../common/option-readers.js';
import type { ServiceInstance } from './service-instance.js';

/** Which discovered addresses may be called. */
export interface AddressRuleOptions {
  /** Networks in CIDR notation, such as `'10.0.0.0/8'`; host names are refused then. @default every network */
  readonly networks?: readonly string[];
  /** Ports, or ranges of them such as `'3000-3999'`. @default every port */
  readonly ports?: readonly (number | string)[];
}

/**
 * Never called, whoever registered it: link-local addresses, where clouds answer with credentials (169.254.169.254,
 * fd00:ec2::254, 100.100.100.200), and addresses that are nobody's, or everybody's (RFC 6890).
 */
const FORBIDDEN = blockList([
  '0.0.0.0/8',
  '169.254.0.0/16',
  '100.100.100.200/32',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::254/128',
]);

/** Names under which clouds give credentials. */
const FORBIDDEN_NAMES =
  /^(metadata|metadata\.google\.internal|instance-data(\.ec2\.internal)?)\.?$/i;

/** Judges where a discovered instance says it is: whoever can write to a registry must not choose what we call. */
export class AddressRules {
  private readonly networks: BlockList | undefined;
  private readonly ports: readonly (readonly [number, number])[];

  constructor({ networks = [], ports = [] }: AddressRuleOptions) {
    this.networks =
      networks.length > 0 ? blockList(networks, 'discovery.allow.networks') : undefined;
    this.ports = ports.map((port, index) => readPorts(port, `discovery.allow.ports[${index}]`));
  }

  /** What is wrong with an instance's address, or `undefined` when it may be called. */
  problemOf({ host, port, ports }: ServiceInstance): string | undefined {
    const address = canonical(host);
    const kind = isIP(address);
    if (kind === 0) {
      if (FORBIDDEN_NAMES.test(host)) return `${host} is where a cloud gives credentials`;
      if (!/^[\w.-]{1,253}$/.test(host)) return 'its host is no name and no address';
      if (this.networks)
        return `${host} is a name, and discovery.allow.networks lets addresses only`;
    } else {
      const family = kind === 4 ? 'ipv4' : 'ipv6';
      if (FORBIDDEN.check(address, family)) return `${host} is never called`;
      if (this.networks && !this.networks.check(address, family))
        return `${host} is outside of discovery.allow.networks`;
    }
    const wrong = [port, ...Object.values(ports)].find((each) => !this.allows(each));
    return wrong === undefined ? undefined : `port ${wrong} is outside of discovery.allow.ports`;
  }

  private allows(port: number): boolean {
    return this.ports.length === 0 || this.ports.some(([from, to]) => port >= from && port <= to);
  }
}

/** An address as the system would take it: `0xa9fea9fe` and `2852039166` are 169.254.169.254, and so is `::ffff:a9fe:a9fe`. */
function canonical(host: string): string {
  const plain = host.replace(/^\[(.*)\]$/, '$1');
  const text = `http://${plain.includes(':') ? `[${plain}]` : plain}/`;
  const name = URL.canParse(text) ? new URL(text).hostname.replace(/^\[(.*)\]$/, '$1') : plain;
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(name);
  if (!mapped) return name;
  const bytes = mapped.slice(1).flatMap((part) => {
    const number = Number.parseInt(part, 16);
    return [number >> 8, number & 255];
  });
  return bytes.join('.');
}

function blockList(networks: readonly string[], path = ''): BlockList {
  const list = new BlockList();
  networks.forEach((network, index) => {
    const [address = '', bits] = network.split('/');
    const kind = isIP(address);
    const most = kind === 4 ? 32 : 128;
    const prefix = bits === undefined ? most : Number(bits);
    if (kind === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > most || bits === '') {
      refuse(`${path}[${index}]`, `is '${network}'`, "Write it like '10.0.0.0/8'.");
    }
    list.addSubnet(address, prefix, kind === 4 ? 'ipv4' : 'ipv6');
  });
  return list;
}

function readPorts(given: number | string, path: string): readonly [number, number] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(given));
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (!match || from < 1 || to > 65_535 || from > to) {
    refuse(path, `is '${given}'`, "Write a port, or a range such as '3000-3999'.");
  }
  return [from, to];
}
