import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { type AddressFacts, chooseAddress } from '../../lib/discovery/advertised-address.js';

function address(ip: string, internal = false): NetworkInterfaceInfo {
  const common = { address: ip, netmask: '', mac: '', internal, cidr: null };
  return ip.includes(':')
    ? { ...common, family: 'IPv6', scopeid: 0 }
    : { ...common, family: 'IPv4' };
}

const INTERFACES = {
  lo: [address('127.0.0.1', true), address('::1', true)],
  docker0: [address('172.17.0.1')],
  eth0: [address('fe80::1'), address('fd00::2'), address('169.254.3.4'), address('10.0.0.7')],
};

function choose(facts: Partial<AddressFacts> = {}) {
  return chooseAddress({
    host: undefined,
    env: {},
    bound: '::',
    remote: true,
    interfaces: INTERFACES,
    ...facts,
  });
}

describe('the address callers are given', () => {
  it('is what the user wrote, before all else', () => {
    const env = { POD_IP: '10.1.1.1' };
    expect(choose({ host: 'orders.internal', env })).toEqual({
      host: 'orders.internal',
      reason: 'discovery.host',
    });
  });

  it('is what the platform says: POD_IP, then HOST_IP', () => {
    const both = { POD_IP: '10.1.1.1', HOST_IP: '10.2.2.2' };
    expect(choose({ env: both })).toEqual({ host: '10.1.1.1', reason: 'POD_IP' });
    expect(choose({ env: { HOST_IP: '10.2.2.2' } })).toEqual({
      host: '10.2.2.2',
      reason: 'HOST_IP',
    });
  });

  it.each(['127.0.0.1', '::1', 'nonsense', ''])('is never %j from the environment', (ip) => {
    expect(choose({ env: { POD_IP: ip } })?.host).toBe('10.0.0.7');
  });

  it('is the one address the server is bound to', () => {
    expect(choose({ bound: '10.0.0.9' })?.host).toBe('10.0.0.9');
  });

  it('is the first real IPv4 address: no loopback, no link-local, no container bridge', () => {
    expect(choose()).toEqual({ host: '10.0.0.7', reason: 'the first address of eth0' });
  });

  it('is the address of a bridge only when there is no other', () => {
    const { lo, docker0 } = INTERFACES;
    expect(choose({ interfaces: { lo, docker0 } })?.host).toBe('172.17.0.1');
  });

  it('is an IPv6 address where there is no IPv4', () => {
    const interfaces = { eth0: [address('fe80::1'), address('fd00::2')] };
    expect(choose({ interfaces })?.host).toBe('fd00::2');
  });

  it('is none, rather than a loopback address, where other machines read the registry', () => {
    const interfaces = { lo: INTERFACES.lo };
    expect(choose({ interfaces })).toBeUndefined();
    expect(choose({ interfaces, bound: '127.0.0.1' })).toBeUndefined();
  });

  it('is the loopback address where the registry is on this machine only', () => {
    const reason = 'the registry is on this machine only';
    expect(choose({ remote: false })).toEqual({ host: '127.0.0.1', reason });
    expect(choose({ remote: false, bound: undefined })).toEqual({ host: '127.0.0.1', reason });
    expect(choose({ remote: false, bound: '::1' })?.host).toBe('::1');
  });
});
