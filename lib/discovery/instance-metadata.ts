import { type OptionReader, record, refuse } from '../common/option-readers.js';

/** Consul's limits (64 keys; 512 characters a value); every other registry carries more. */
const KEY = /^[A-Za-z0-9_-]{1,128}$/;
const VALUE_LENGTH = 512;
const COUNT = 64;

/** Reads metadata that every registry can carry; refuses the rest with its path. */
export const instanceMetadata: OptionReader<Readonly<Record<string, string>>> = (value, path) => {
  const read = record(metadataValue)(value, path);
  const keys = Object.keys(read);
  if (keys.length > COUNT) {
    refuse(path, `has ${keys.length} keys`, `A registration carries at most ${COUNT}.`);
  }
  const wrong = keys.find((key) => !KEY.test(key));
  if (wrong !== undefined) {
    refuse(
      `${path}['${wrong}']`,
      'is no key that every registry can carry',
      "Use letters, digits, '_' and '-', at most 128.",
    );
  }
  return read;
};

const metadataValue: OptionReader<string> = (value, path) => {
  if (typeof value !== 'string') {
    refuse(path, `is ${value === null ? 'null' : typeof value}, not a text`, 'Write a text.');
  }
  if (value.length > VALUE_LENGTH) {
    refuse(
      path,
      `has ${value.length} characters`,
      `A registration carries at most ${VALUE_LENGTH} in each value.`,
    );
  }
  return value;
};
