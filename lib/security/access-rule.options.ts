import type { AccessRule, ClaimValue } from './access-rule.js';
import {
  group,
  list,
  type OptionReader,
  optional,
  record,
  refuse,
  textOf,
} from '../common/option-readers.js';

const value: OptionReader<ClaimValue> = (given, path) => {
  if (typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean')
    return given;
  return refuse(path, 'is no plain value', 'Make it a text, a number, true or false.');
};

const values: OptionReader<ClaimValue | readonly ClaimValue[]> = (given, path) =>
  Array.isArray(given) ? list(value)(given, path) : value(given, path);

/** A scope as OAuth has them (RFC 6749, 3.3), which can stand in a header. */
const word = textOf({
  matches: /^[!#-[\]-~]{1,128}$/,
  remedy: 'Use letters, digits and signs, without spaces.',
});

const read = group({
  scopes: optional(list(word)),
  roles: optional(list(textOf())),
  claims: optional(record(values)),
});

/** Reads who may use a route, as it is written at a controller, on a route, or in a manifest. */
export const readAccessRule: OptionReader<AccessRule> = (given, path) => {
  const { scopes, roles, claims } = read(given, path);
  // Nobody has one of no roles: written so, it is a mistake.
  if (roles?.length === 0) refuse(`${path}.roles`, 'is empty', 'Name one, or leave it out.');
  return { ...(scopes && { scopes }), ...(roles && { roles }), ...(claims && { claims }) };
};
