import { Injectable, RequestMethod } from '@nestjs/common';
import {
  HOST_METADATA,
  METHOD_METADATA,
  MODULE_PATH,
  PATH_METADATA,
  VERSION_METADATA,
} from '@nestjs/common/constants.js';
import { ApplicationConfig, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js';
import { MetadataExplorer } from '../../common/metadata-explorer.js';

type Controller = ReturnType<MetadataExplorer['controllers']>[number];
type Factory = Parameters<RoutePathFactory['create']>[0];

/** A handler of a controller of this application, under one of the paths it really answers to. */
export interface CollectedRoute {
  /** The controller's class. */
  readonly controller: Controller['metatype'] & object;
  /** The handler, as Nest keeps its metadata. */
  readonly handler: object;
  /** `OrdersController.find` */
  readonly name: string;
  /** In capitals; `ALL` is every method. */
  readonly method: string;
  /** The whole path: global prefix, version, module path, controller and handler. */
  readonly path: string;
  /** The part of `path` that stands before the handler's own. */
  readonly prefix: string;
  /** The hosts that the controller is bound to; absent for all. */
  readonly hosts?: readonly (string | RegExp)[];
}

/** Finds every route of the application's controllers, with Nest's own path factory. */
@Injectable()
export class RouteCollector {
  private readonly scanner = new MetadataScanner();

  constructor(
    private readonly explorer: MetadataExplorer,
    private readonly config: ApplicationConfig,
    private readonly modules: ModulesContainer,
  ) {}

  /** All routes. Prefix, versions and exclusions must be set by now; they are when the application bootstraps. */
  collect(): readonly CollectedRoute[] {
    const factory = new RoutePathFactory(this.config);
    return this.explorer.controllers().flatMap((controller) => this.routesOf(factory, controller));
  }

  private routesOf(factory: RoutePathFactory, controller: Controller): CollectedRoute[] {
    const type = controller.metatype;
    if (typeof type !== 'function') return [];
    const prototype = type.prototype as Record<string, unknown>;
    return this.scanner.getAllMethodNames(prototype).flatMap((method) => {
      const handler = prototype[method];
      if (typeof handler !== 'function' || !Reflect.hasMetadata(PATH_METADATA, handler)) return [];
      const routes = listOf(Reflect.getMetadata(PATH_METADATA, type) as Values<string>).flatMap(
        (path) => this.pathsOf(factory, handler, this.prefixOf(controller, path)),
      );
      const hosts = listOf(Reflect.getMetadata(HOST_METADATA, type) as Values<string | RegExp>);
      const common = { controller: type, handler, name: `${type.name}.${method}` };
      return routes.map((route) =>
        Object.assign(route, common, hosts.length > 0 ? { hosts } : undefined),
      );
    });
  }

  private pathsOf(factory: RoutePathFactory, handler: object, above: Factory) {
    const requestMethod = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
    const methodVersion = Reflect.getMetadata(
      VERSION_METADATA,
      handler,
    ) as Factory['methodVersion'];
    const method = RequestMethod[requestMethod] ?? 'ALL';
    return listOf(Reflect.getMetadata(PATH_METADATA, handler) as Values<string>).flatMap(
      (methodPath) => {
        const own = addSlash(methodPath);
        const paths = factory.create({ ...above, methodVersion, methodPath: own }, requestMethod);
        return paths.map((path) => ({ method, path, prefix: cutEnd(path, own) }));
      },
    );
  }

  private prefixOf(controller: Controller, ctrlPath: string): Factory {
    const type = controller.metatype as object;
    const versioningOptions = this.config.getVersioning();
    const version = Reflect.getMetadata(VERSION_METADATA, type) as Factory['controllerVersion'];
    const module = controller.host?.metatype as object | undefined;
    return {
      ctrlPath: addSlash(ctrlPath),
      globalPrefix: this.globalPrefix(),
      ...(module && { modulePath: this.modulePath(module) }),
      ...(versioningOptions && {
        versioningOptions,
        controllerVersion: version ?? versioningOptions.defaultVersion,
      }),
    };
  }

  private globalPrefix(): string {
    const prefix = this.config.getGlobalPrefix();
    return prefix ? addSlash(prefix) : '';
  }

  /** Nest's `RouterModule` leaves it under a key of the application's own. */
  private modulePath(module: object): string {
    const own: unknown = Reflect.getMetadata(MODULE_PATH + this.modules.applicationId, module);
    return (own ?? Reflect.getMetadata(MODULE_PATH, module)) as string;
  }
}

type Values<T> = T | readonly T[] | undefined;

function listOf<T>(value: Values<T>): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

function addSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** The path without what the handler added to it; Nest takes slashes from the end. */
function cutEnd(path: string, own: string): string {
  const end = own.replace(/\/+$/, '');
  return path.endsWith(end) ? path.slice(0, path.length - end.length) : path;
}
