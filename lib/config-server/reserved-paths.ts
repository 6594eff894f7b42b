import { Injectable } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { MetadataExplorer } from '../common/metadata-explorer.js';

/** The key under which Nest keeps the path of a controller or a handler. */
const PATH = 'path';

/**
 * The first segments of paths that belong to the application's own controllers, such as `health`.
 *
 * `/{application}/{profile}` fits any two segments; it must not hide them.
 */
@Injectable()
export class ReservedPaths {
  private found: ReadonlySet<string> | undefined;

  constructor(
    private readonly explorer: MetadataExplorer,
    private readonly application: ApplicationConfig,
  ) {}

  /** Whether a first segment is a controller's. */
  has(segment: string): boolean {
    this.found ??= this.find();
    return this.found.has(segment);
  }

  private find(): ReadonlySet<string> {
    // Health answers there even when it does so without a controller.
    const segments = new Set(['health', firstOf(this.application.getGlobalPrefix())]);
    for (const { metatype } of this.explorer.controllers()) {
      for (const base of pathsOf(metatype)) {
        const first = firstOf(base);
        const own = first === '' ? handlersOf(metatype).flatMap(pathsOf).map(firstOf) : [first];
        for (const each of own) segments.add(each);
      }
    }
    segments.delete('');
    return segments;
  }
}

function pathsOf(target: unknown): readonly string[] {
  const path: unknown =
    typeof target === 'function' ? Reflect.getMetadata(PATH, target) : undefined;
  return (Array.isArray(path) ? path : [path]).filter((each) => typeof each === 'string');
}

/** The methods of a controller, those of its base classes too. */
function handlersOf(metatype: unknown): readonly unknown[] {
  const handlers: unknown[] = [];
  let prototype: unknown = typeof metatype === 'function' ? metatype.prototype : null;
  while (typeof prototype === 'object' && prototype !== null) {
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(prototype))) {
      if (typeof value === 'function') handlers.push(value);
    }
    prototype = Object.getPrototypeOf(prototype);
  }
  return handlers;
}

function firstOf(path: string): string {
  return path.split('/').find((segment) => segment !== '') ?? '';
}
