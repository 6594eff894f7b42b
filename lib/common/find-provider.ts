import type { INestApplicationContext, Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';

/** A class, abstract too, that is a provider's token. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- a constructor that nobody may call has no other type
type Token<T> = Type<T> | (Function & { readonly prototype: T });

/** A provider wherever it is, or `undefined`; asking Nest itself for what is not there makes it log an error. */
export function findProvider<T extends object>(
  app: INestApplicationContext,
  token: Token<T>,
): T | undefined {
  for (const module of app.get(ModulesContainer).values()) {
    const instance: unknown = module.providers.get(token)?.instance;
    if (instance) return instance as T;
  }
  return undefined;
}
