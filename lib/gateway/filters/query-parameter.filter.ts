import type { Args } from '../args.js';
import { defineFilter } from './gateway-filter.js';

/** Names of query parameters, with a value each. */
export interface ParametersArgs {
  /** Such as `{ locale: 'de' }`. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Names of query parameters. */
export interface ParameterNamesArgs {
  /** One name or several. */
  readonly names: string | readonly string[];
}

/** Old and new names of query parameters. */
export interface ParameterRenamesArgs {
  /** The new name of each: `{ q: 'query' }`. */
  readonly names: Readonly<Record<string, string>>;
}

/** Adds query parameters, beside those of the same names: `addRequestParameter({ parameters: { locale: 'de' } })`. */
export const addRequestParameter = defineFilter({
  name: 'AddRequestParameter',
  read: (args: Args<ParametersArgs>) => Object.entries(args.record('parameters')),
  create: (given) => (exchange, next) => {
    for (const [name, value] of given) exchange.query.add(name, value);
    return next(exchange);
  },
});

/** Writes query parameters, in place of those of the same names: `setRequestParameter({ parameters: { locale: 'de' } })`. */
export const setRequestParameter = defineFilter({
  name: 'SetRequestParameter',
  read: (args: Args<ParametersArgs>) => Object.entries(args.record('parameters')),
  create: (given) => (exchange, next) => {
    for (const [name, value] of given) exchange.query.set(name, value);
    return next(exchange);
  },
});

/** Takes query parameters away: `removeRequestParameter({ names: ['debug'] })`. */
export const removeRequestParameter = defineFilter({
  name: 'RemoveRequestParameter',
  read: (args: Args<ParameterNamesArgs>) => args.texts('names'),
  create: (given) => (exchange, next) => {
    for (const name of given) exchange.query.remove(name);
    return next(exchange);
  },
});

/** Gives query parameters other names: `renameRequestParameter({ names: { q: 'query' } })`. */
export const renameRequestParameter = defineFilter({
  name: 'RenameRequestParameter',
  read: (args: Args<ParameterRenamesArgs>) => Object.entries(args.record('names')),
  create: (given) => (exchange, next) => {
    for (const [from, to] of given) exchange.query.rename(from, to);
    return next(exchange);
  },
});
