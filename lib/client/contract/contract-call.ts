import { InvalidRequestError } from '../../upstream/upstream.errors.js';
import type { CallOptions } from '../client-request.js';
import type { ContractRoute } from './contract-description.js';
import type { RemoteCallOptions } from './remote.js';

type Query = Record<string, string | number | boolean | null | undefined>;
type Headers = Record<string, string | readonly string[] | undefined>;

/** A call of a contract's method, written down. */
export interface ContractCall {
  readonly path: string;
  readonly options: CallOptions;
}

/** Puts the arguments of a call where their decorators say; throws `InvalidRequestError` when one is missing. */
export function writeCall(route: ContractRoute, args: readonly unknown[]): ContractCall {
  const params: Record<string, unknown> = {};
  const query: Query = {};
  const headers: Headers = { ...route.headers };
  let body: unknown;
  for (const { index, place, name } of route.parameters.sent) {
    const value = args[index];
    if (place === 'body') body = name === undefined ? value : named(body, name, value);
    else if (place === 'param')
      Object.assign(params, name === undefined ? value : { [name]: value });
    else if (place === 'query')
      Object.assign(query, name === undefined ? value : { [name]: value });
    else Object.assign(headers, name === undefined ? value : { [name]: textOf(value) });
  }
  const own = callOptionsIn(route, args);
  Object.assign(headers, own.headers);
  const { timeout = route.remote.timeout, signal, idempotencyKey } = own;
  const { idempotent } = route.remote;
  return {
    path: fill(route, params),
    options: {
      query,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(timeout === undefined ? {} : { timeout }),
      ...(signal === undefined ? {} : { signal }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(idempotent === undefined ? {} : { idempotent }),
    },
  };
}

/** The argument that no decorator speaks of, if there is one. */
function callOptionsIn(route: ContractRoute, args: readonly unknown[]): RemoteCallOptions {
  const { sent, local } = route.parameters;
  for (let index = args.length - 1; index >= 0; index--) {
    const decorated = local.has(index) || sent.some((each) => each.index === index);
    const value = args[index];
    if (!decorated && typeof value === 'object' && value !== null) return value;
  }
  return {};
}

function fill({ label, path }: ContractRoute, params: Readonly<Record<string, unknown>>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = params[name];
    const text = textOf(value);
    // An empty segment would be another route.
    if (text === undefined || text === '') {
      throw new InvalidRequestError(
        `${label} was called with ${value === '' ? 'an empty text' : String(value)} for ":${name}"`,
      );
    }
    return encodeURIComponent(text);
  });
}

function named(body: unknown, name: string, value: unknown): unknown {
  return Object.assign(body ?? {}, { [name]: value });
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object') return JSON.stringify(value);
  return `${value as string | number | boolean}`;
}
