import type { INestApplicationContext } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { Type } from './metadata-explorer.js';

/** A provider wherever it is, or `undefined`; asking Nest itself for what is not there makes it log an error. */
export function findProvider<T extends object>(
  app: INestApplicationContext,
  token: Type<T>,
): T | undefined {
  for (const module of app.get(ModulesContainer).values()) {
    const instance: unknown = module.providers.get(token)?.instance;
    if (instance) return instance as T;
  }
  return undefined;
}
