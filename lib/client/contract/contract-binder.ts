import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  METHOD_METADATA,
  PATH_METADATA,
  PIPES_METADATA,
  VERSION_METADATA,
} from '@nestjs/common/constants.js';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { InvalidOptionsError } from '../../common/errors.js';
import { MetadataExplorer, type Type } from '../../common/metadata-explorer.js';
import { RouteCollector } from '../../discovery/manifest/route-collector.js';
import {
  type ContractDescription,
  type ContractRoute,
  describeContract,
} from './contract-description.js';
import { contractAbove } from './service-contract.decorator.js';

/** Nest looks for these when it reads the classes, before anyone could hand them on. */
const TOO_LATE = new Map([
  [GUARDS_METADATA, '@UseGuards'],
  [INTERCEPTORS_METADATA, '@UseInterceptors'],
  [EXCEPTION_FILTERS_METADATA, '@UseFilters'],
  [PIPES_METADATA, '@UsePipes'],
]);

interface Bound {
  readonly controller: Type;
  readonly contract: ContractDescription;
}

/**
 * Gives controllers the routes of the contracts they extend, before Nest reads them, and refuses to start one that keeps
 * its contract only in part.
 *
 * A method that overrides another is a new function to Nest: without this it would have no route at all.
 */
@Injectable()
export class ContractBinder implements OnApplicationBootstrap {
  private readonly bound: readonly Bound[];

  constructor(
    private readonly explorer: MetadataExplorer,
    private readonly config: ApplicationConfig,
    private readonly modules: ModulesContainer,
  ) {
    this.bound = explorer.controllers().flatMap(({ metatype }) => {
      const controller = metatype as Type;
      const contract = contractAbove(controller);
      return contract ? [bind(controller, describeContract(contract))] : [];
    });
  }

  /** By now prefix and versions of the application are known: every route must be where its contract says. */
  onApplicationBootstrap(): void {
    if (this.bound.length === 0) return;
    const collected = new RouteCollector(this.explorer, this.config, this.modules).collect();
    for (const { controller, contract } of this.bound) {
      for (const { name, method, path } of contract.routes) {
        const own = collected.filter((route) => route.name === `${controller.name}.${name}`);
        if (own.some((route) => route.method === method && slashless(route.path) === path))
          continue;
        const there = own.map((route) => slashless(route.path)).join(' and ');
        throw new InvalidOptionsError(
          `${controller.name}.${name} answers at ${there}, but ${contract.type.name} says ${path}. Give @ServiceContract the prefix and the version of the application, or the application those of the contract.`,
        );
      }
    }
  }
}

/** Hands the routes on; throws `InvalidOptionsError` when the controller does not keep its contract. */
function bind(controller: Type, contract: ContractDescription): Bound {
  bindClass(controller, contract);
  for (const route of contract.routes) bindMethod(controller, contract, route);
  return { controller, contract };
}

function bindClass(controller: Type, { type, path = '/', version }: ContractDescription): void {
  const own = [Reflect.getMetadata(PATH_METADATA, controller) as string | string[]]
    .flat()
    .join(' and ');
  if (own === '/' || own === '') Reflect.defineMetadata(PATH_METADATA, path, controller);
  else if (slashless(own) !== slashless(path)) {
    refuse(
      `${controller.name} has the path '${own}', but ${type.name} says '${path}'`,
      'Write @Controller() without a path, or change the contract.',
    );
  }
  const ownVersion: unknown = Reflect.getMetadata(VERSION_METADATA, controller);
  if (ownVersion === undefined && version !== undefined) {
    Reflect.defineMetadata(VERSION_METADATA, version, controller);
  }
}

function bindMethod(controller: Type, contract: ContractDescription, route: ContractRoute): void {
  const { name, method, ownPath } = route;
  const declared = (contract.type.prototype as Record<string, object>)[name] as object;
  const handler = (controller.prototype as Record<string, object>)[name] as object;
  const what = `${controller.name} extends ${contract.type.name}`;
  if (handler === declared) {
    refuse(
      `${what}, but has no method "${name}" (${method} ${route.path})`,
      `Write it, or take it out of ${contract.type.name}.`,
    );
  }
  checkRoute(
    handler,
    declared,
    `${what} and gives "${name}" another route than ${method} '${ownPath}'`,
  );
  for (const [key, decorator] of TOO_LATE) {
    if (Reflect.hasOwnMetadata(key, declared) && !Reflect.hasOwnMetadata(key, handler)) {
      refuse(
        `${what}, whose method "${name}" has ${decorator}, which would be lost`,
        `Write ${decorator} at ${controller.name}.`,
      );
    }
  }
  for (const key of Reflect.getOwnMetadataKeys(declared) as string[]) {
    if (Reflect.hasOwnMetadata(key, handler)) continue;
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, declared), handler);
  }
}

function checkRoute(handler: object, declared: object, problem: string): void {
  if (!Reflect.hasOwnMetadata(PATH_METADATA, handler)) return;
  const sameMethod =
    Reflect.getOwnMetadata(METHOD_METADATA, handler) ===
    Reflect.getOwnMetadata(METHOD_METADATA, declared);
  const [own, said] = [handler, declared].map((each) =>
    slashless(String(Reflect.getOwnMetadata(PATH_METADATA, each))),
  );
  if (!sameMethod || own !== said) {
    refuse(problem, 'Leave the decorator out: the route is the contract’s.');
  }
}

function slashless(path: string): string {
  return `/${path.split('/').filter(Boolean).join('/')}`;
}

function refuse(problem: string, remedy: string): never {
  throw new InvalidOptionsError(`${problem}. ${remedy}`);
}
