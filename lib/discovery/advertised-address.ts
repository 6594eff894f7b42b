import { BlockList, isIP } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { refuse } from '../common/option-readers.js';
import { isLoopback } from './backends/loopback.js';

/** What an advertised address is decided from. */
export interface AddressFacts {
  /** What the user wrote. */
  readonly host: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** The address the server is bound to; undefined where nothing listens yet. */
  readonly bound: string | undefined;
  /** Whether other machines read the registry. */
  readonly remote: boolean;
  /** An interface, or a network in CIDR notation, whose address is wanted. */
  readonly network?: string | undefined;
  /** The address from which this machine reaches the registry; undefined when that is not known. */
  readonly towardsRegistry?: string | undefined;
  readonly interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>;
}

/** The address callers are given, and why this one. */
export interface AdvertisedAddress {
  readonly host: string;
  readonly reason: string;
}

/** Bridges of container engines and virtual machines: other machines cannot reach them. */
const VIRTUAL = /^(docker|br-|veth|virbr|cni|flannel|cali|vmnet|vboxnet)/;

/** Chooses the address that callers are given, or `undefined` when there is none they could reach. */
export function chooseAddress(facts: AddressFacts): AdvertisedAddress | undefined {
  if (facts.host !== undefined) return { host: facts.host, reason: 'discovery.host' };
  if (!facts.remote) return localAddress(facts);
  if (facts.network !== undefined) return fromNetwork(facts, facts.network);
  return fromEnvironment(facts) ?? fromServer(facts) ?? fromRoute(facts) ?? fromInterfaces(facts);
}

/** Whether a server bound to this address hears all of the machine's addresses. */
export function isWildcard(bound: string): boolean {
  return bound === '0.0.0.0' || bound === '::';
}

function localAddress({ bound }: AddressFacts): AdvertisedAddress {
  return bound !== undefined && !isWildcard(bound)
    ? { host: bound, reason: 'the address the server listens on' }
    : { host: '127.0.0.1', reason: 'the registry is on this machine only' };
}

function fromEnvironment({ env }: AddressFacts): AdvertisedAddress | undefined {
  for (const name of ['POD_IP', 'HOST_IP']) {
    const host = env[name];
    if (host !== undefined && isIP(host) !== 0 && !isLoopback(host)) return { host, reason: name };
  }
  return undefined;
}

function fromServer({ bound }: AddressFacts): AdvertisedAddress | undefined {
  return bound === undefined || isWildcard(bound) || isLoopback(bound)
    ? undefined
    : { host: bound, reason: 'the address the server listens on' };
}

function fromRoute({ towardsRegistry: host }: AddressFacts): AdvertisedAddress | undefined {
  return host === undefined ||
    isLoopback(host) ||
    isWildcard(host) ||
    /^(169\.254\.|fe80:)/i.test(host)
    ? undefined
    : { host, reason: 'the address from which the registry is reached' };
}

function fromNetwork({ interfaces }: AddressFacts, network: string): AdvertisedAddress | undefined {
  const subnet = network.includes('/') ? readSubnet(network) : undefined;
  for (const [name, addresses = []] of Object.entries(interfaces)) {
    const found = addresses.find(({ address, family }) =>
      subnet ? subnet.check(address, family === 'IPv4' ? 'ipv4' : 'ipv6') : name === network,
    );
    if (found) return { host: found.address, reason: `discovery.network is ${network}` };
  }
  return undefined;
}

function readSubnet(network: string): BlockList {
  const [address = '', bits = ''] = network.split('/');
  const kind = isIP(address);
  const prefix = Number(bits);
  if (
    kind === 0 ||
    bits === '' ||
    !Number.isInteger(prefix) ||
    prefix < 0 ||
    prefix > (kind === 4 ? 32 : 128)
  ) {
    refuse(
      'discovery.network',
      `is '${network}'`,
      "Write an interface such as 'eth1', or '10.0.0.0/8'.",
    );
  }
  const list = new BlockList();
  list.addSubnet(address, prefix, kind === 4 ? 'ipv4' : 'ipv6');
  return list;
}

function fromInterfaces({ interfaces }: AddressFacts): AdvertisedAddress | undefined {
  const names = Object.keys(interfaces);
  const physical = names.filter((name) => !VIRTUAL.test(name));
  for (const family of ['IPv4', 'IPv6'] as const) {
    for (const name of [...physical, ...names]) {
      const found = interfaces[name]?.find((each) => each.family === family && isReachable(each));
      if (found) return { host: found.address, reason: `the first address of ${name}` };
    }
  }
  return undefined;
}

/** Link-local addresses mean nothing on another machine. */
function isReachable({ internal, address }: NetworkInterfaceInfo): boolean {
  return !internal && !/^(169\.254\.|fe80:)/i.test(address);
}
