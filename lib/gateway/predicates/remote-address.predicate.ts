import { isIP } from 'node:net';
import { refuse, textOf } from '../../common/option-readers.js';
import type { Args } from '../args.js';
import { trustedProxies as addressTest } from '../proxy/trusted-proxies.js';
import { definePredicate } from './route-predicate.js';

/** From where a request comes. */
export interface RemoteAddressArgs {
  /** Addresses and CIDR blocks, such as `['10.0.0.0/8', '::1']`. */
  readonly from: string | readonly string[];
}

/** Requests of peers in some networks; behind another proxy that is the proxy: `remoteAddress({ from: '10.0.0.0/8' })`. */
export const remoteAddress = definePredicate({
  name: 'RemoteAddress',
  read: (args: Args<RemoteAddressArgs>) => {
    const from = args.texts('from');
    if (from.length === 0)
      args.refuse('from', 'is missing', "Write a block, such as '10.0.0.0/8'.");
    return { from: from.map((block) => checkBlock(block, `${args.path}.from`)) };
  },
  create: ({ from }) => {
    const test = addressTest(from);
    return (request) => test(request.address);
  },
});

/** @throws InvalidOptionsError */
function checkBlock(block: string, path: string): string {
  const [address = '', bits, more] = textOf()(block, path).split('/');
  const most = isIP(address) === 4 ? 32 : 128;
  const sound = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (isIP(address) === 0 || !sound || more !== undefined)
    refuse(path, `is '${block}'`, "Write an address or a block, such as '10.0.0.0/8'.");
  return block;
}
