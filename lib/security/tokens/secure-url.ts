import { type OptionReader, refuse, textOf } from '../../common/option-readers.js';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * An `https:` URL; `http:` only to this machine, or where it is allowed by name, because keys and secrets that travel in
 * the open are anybody's.
 */
export function secureUrl(allowInsecure: boolean): OptionReader<string> {
  return (value, path) => {
    const text = textOf()(value, path);
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.hash)
      return refuse(path, `is '${text}'`, "Write it like 'https://idp.example.com/keys'.");
    if (url.protocol === 'http:' && !allowInsecure && !LOOPBACK.test(url.hostname))
      return refuse(path, 'begins with http:', 'Use https:, or set allowInsecure: true.');
    return text;
  };
}
