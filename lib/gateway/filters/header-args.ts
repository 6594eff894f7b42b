import { type OptionReader, refuse, textOf } from '../../common/option-readers.js';
import { isFree, isHeaderValue } from './header-list.js';

/** Names of headers, with a value each. */
export interface HeadersArgs {
  /** Such as `{ 'x-tenant': 'a' }`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Names of headers. */
export interface HeaderNamesArgs {
  /** One name or several. */
  readonly names: string | readonly string[];
}

/** Old and new names of headers. */
export interface HeaderRenamesArgs {
  /** The new name of each: `{ 'x-old': 'x-new' }`. */
  readonly names: Readonly<Record<string, string>>;
}

/** Reads a header's name that a filter may touch. */
const headerName: OptionReader<string> = (value, path) => {
  const name = textOf()(value, path);
  if (!isFree(name))
    refuse(
      path,
      `is '${name}', which the gateway writes itself or nobody can`,
      'Name another header.',
    );
  return name;
};

/** Reads a header's value. */
const headerValue: OptionReader<string> = (value, path) => {
  const given = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  if (typeof given !== 'string' || !isHeaderValue(given))
    refuse(path, 'is no header value', 'Write a text without line ends and signs beyond latin1.');
  return given;
};

/** Reads one name or several. */
export const headerNames: OptionReader<readonly string[]> = (value, path) => {
  const names = Array.isArray(value) ? value : [value];
  if (names.length === 0) refuse(path, 'is empty', 'Name a header.');
  return names.map((name) => headerName(name, path));
};

/** Reads headers with a value each. */
export const headerRecord: OptionReader<readonly (readonly [string, string])[]> = (value, path) =>
  entriesOf(value, path).map(([name, item]) => [
    headerName(name, `${path}.${name}`),
    headerValue(item, `${path}.${name}`),
  ]);

/** Reads headers with another name each. */
export const headerRenames: OptionReader<readonly (readonly [string, string])[]> = (value, path) =>
  entriesOf(value, path).map(([name, item]) => [
    headerName(name, `${path}.${name}`),
    headerName(item, `${path}.${name}`),
  ]);

function entriesOf(value: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(path, 'is no object', "Write it like { 'x-name': 'value' }.");
  return Object.entries(value);
}
