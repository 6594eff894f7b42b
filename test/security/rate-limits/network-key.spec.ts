import { describe, expect, it } from '@jest/globals';
import { networkKey } from '../../../lib/security/rate-limits/network-key.js';

describe('networkKey', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['unknown', 'unknown'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::ffff', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:192.0.2.7', '1:2:3:4::/64'],
    ['not:an:address', 'not:an:address'],
  ])('of %s is %s', (address, key) => {
    expect(networkKey(address)).toBe(key);
  });

  it('is one for all addresses of a /64, however they are written', () => {
    const same = ['2001:db8:1:2::', '2001:db8:1:2::9', '2001:db8:1:2:aaaa:bbbb:cccc:dddd'];
    expect(new Set(same.map(networkKey)).size).toBe(1);
  });
});
