import { RequestMethod } from '@nestjs/common';
import {
  METHOD_METADATA,
  PATH_METADATA,
  ROUTE_ARGS_METADATA,
  VERSION_METADATA,
} from '@nestjs/common/constants.js';
import { MetadataScanner } from '@nestjs/core';
import { InvalidOptionsError } from '../../common/errors.js';
import type { Type } from '../../common/metadata-explorer.js';
import { assertServiceName } from '../../common/service-identity.js';
import { argumentsOf, type ContractArguments } from './contract-arguments.js';
import { type RemoteOptions, remoteOptionsOf } from './remote.js';
import {
  type ContractMark,
  contractMarkOf,
  type ContractVersioning,
} from './service-contract.decorator.js';

/** One method of a contract. */
export interface ContractRoute {
  /** `InventoryContract.find` */
  readonly label: string;
  /** The method's name. */
  readonly name: string;
  /** In capitals. */
  readonly method: string;
  /** The whole path, such as `/v1/stock/:sku`. */
  readonly path: string;
  /** The path as the method's decorator says it. */
  readonly ownPath: string;
  /** Headers by which the service chooses the version. */
  readonly headers: Readonly<Record<string, string>>;
  readonly parameters: ContractArguments;
  readonly remote: RemoteOptions;
}

/** A contract, read from its decorators. */
export interface ContractDescription extends ContractMark {
  readonly type: Type;
  readonly routes: readonly ContractRoute[];
}

/** Reads a contract; throws `InvalidOptionsError` when no client can be made of it. */
export function describeContract(type: Type): ContractDescription {
  const mark = typeof type === 'function' ? contractMarkOf(type) : undefined;
  const name = type?.name || 'A class';
  if (!mark) {
    throw new InvalidOptionsError(`${name} is no contract. Give it @ServiceContract('orders').`);
  }
  assertServiceName(`The service of @ServiceContract at ${name}`, mark.service);
  const routes = new MetadataScanner()
    .getAllMethodNames(type.prototype)
    .flatMap((method) => routeOf(type, mark, method) ?? []);
  if (routes.length === 0) {
    throw new InvalidOptionsError(
      `${name} has no methods to call. Give them decorators such as @Get(':id').`,
    );
  }
  return { ...mark, type, routes };
}

function routeOf(type: Type, mark: ContractMark, name: string): ContractRoute | undefined {
  const handler = (type.prototype as Record<string, unknown>)[name];
  if (typeof handler !== 'function' || !Reflect.hasMetadata(PATH_METADATA, handler)) {
    return undefined;
  }
  const label = `${type.name}.${name}`;
  const number = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
  const method = RequestMethod[number] ?? 'ALL';
  if (method === 'ALL') refuse(label, 'answers to every method', 'Name one: @Get, @Post, ….');
  const ownPath = pathOf(label, Reflect.getMetadata(PATH_METADATA, handler));
  const version =
    (Reflect.getMetadata(VERSION_METADATA, handler) as string | undefined) ?? mark.version;
  const { inPath, headers } = versionOf(version, mark.versioning);
  const path = joined(mark.prefix, inPath, mark.path, ownPath);
  const metadata: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, type, name);
  const parameters = argumentsOf(label, path, metadata);
  return {
    label,
    name,
    method,
    path,
    ownPath,
    headers,
    parameters,
    remote: remoteOptionsOf(handler),
  };
}

function pathOf(label: string, path: unknown): string {
  const [first] = Array.isArray(path) ? (path as string[]) : [path as string];
  const text = first ?? '';
  if (/[*{}()?+]/.test(text)) {
    refuse(
      label,
      `has the path '${text}', which a client cannot fill`,
      'Write words and :parameters.',
    );
  }
  return text;
}

function versionOf(
  version: string | undefined,
  versioning: ContractVersioning = { type: 'uri' },
): { inPath: string; headers: Record<string, string> } {
  if (version === undefined) return { inPath: '', headers: {} };
  if (versioning.type === 'header')
    return { inPath: '', headers: { [versioning.header]: version } };
  if (versioning.type === 'media-type') {
    return { inPath: '', headers: { accept: `application/json;${versioning.key}${version}` } };
  }
  return {
    inPath: `${versioning.prefix === false ? '' : (versioning.prefix ?? 'v')}${version}`,
    headers: {},
  };
}

function joined(...parts: readonly (string | undefined)[]): string {
  const segments = parts.flatMap((part) => (part ?? '').split('/')).filter((part) => part !== '');
  return `/${segments.join('/')}`;
}

function refuse(label: string, problem: string, remedy: string): never {
  throw new InvalidOptionsError(`${label} ${problem}. ${remedy}`);
}
