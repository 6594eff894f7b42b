import { type OptionReader, refuse } from '../common/option-readers.js';

/** One or several http addresses; a wrong one is not repeated in full, because it may hold a password. */
export const urls: OptionReader<readonly URL[]> = (value, path) => {
  const given = value === undefined ? process.env['CONFIG_URL'] : value;
  if (given === undefined || given === '') return [];
  const from = value === undefined ? 'CONFIG_URL' : path;
  if (typeof given !== 'string') refuse(from, 'is not a text', EXAMPLE);
  return given.split(',').map((each) => {
    const text = each.trim();
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !/^https?:$/.test(url.protocol)) refuse(from, 'is not an http address', EXAMPLE);
    return url;
  });
};

const EXAMPLE = "Write it like 'http://config-server:8888'.";
