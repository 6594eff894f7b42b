import { isIP } from 'node:net';
import { type OptionReader, refuse, textOf } from '../../common/option-readers.js';

/** An address, or a block of them (RFC 4632). */
export const cidr: OptionReader<string> = (value, path) => {
  const text = textOf()(value, path);
  const [address = '', bits, more] = text.split('/');
  const most = isIP(address) === 4 ? 32 : 128;
  const isBlock = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (isIP(address) === 0 || !isBlock || more !== undefined)
    refuse(path, `is '${text}'`, "Write an address or a block, such as '10.0.0.0/8'.");
  return text;
};
