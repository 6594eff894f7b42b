import { type CanActivate, ForbiddenException, Injectable, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { RequestContext } from '../../common/request-context.js';
import { RouteExecutionContext } from './execution-context.js';
import type { GatewayExchange } from './gateway-exchange.js';
import type { GatewayFilter } from './gateway-filter.js';

/** A Nest guard on a route: a class, found or made as Nest makes it, or an instance. */
export type RouteGuard = Type<CanActivate> | CanActivate;

/** Makes filters of Nest's guards; they run before all other filters. */
@Injectable()
export class RouteGuards {
  private readonly made = new Map<Type<CanActivate>, Promise<CanActivate>>();

  constructor(
    private readonly modules: ModuleRef,
    private readonly context: RequestContext,
  ) {}

  /** Rejects when a guard cannot be made, because of a provider it lacks. */
  async ready(): Promise<void> {
    await Promise.all(this.made.values());
  }

  /** A filter that lets pass what the guard lets pass; else 403, or what the guard throws. */
  filter(guard: RouteGuard): GatewayFilter {
    const found = typeof guard === 'function' ? this.find(guard) : guard;
    if (typeof found !== 'function')
      return (exchange, next) => goOn(this.ask(found, exchange), () => next(exchange));
    return async (exchange, next) => {
      const passes = this.ask(await found(), exchange);
      await goOn(passes, () => next(exchange));
    };
  }

  /** A guard that is there already, or how one is got. */
  private find(type: Type<CanActivate>): CanActivate | (() => Promise<CanActivate>) {
    const isProvided = this.isProvided(type);
    if (isProvided === 'once') return this.modules.get(type, { strict: false });
    if (isProvided === 'each time')
      return () => this.modules.resolve(type, undefined, { strict: false });
    const made = this.made.get(type) ?? this.modules.create(type);
    this.made.set(type, made);
    // `ready` tells of a failure; until somebody waits there, it is nobody's.
    made.catch(() => {});
    return () => made;
  }

  private isProvided(type: Type<CanActivate>): 'once' | 'each time' | 'not' {
    try {
      this.modules.get(type, { strict: false });
      return 'once';
    } catch {
      // Request-scoped ones are there, but cannot be got.
      try {
        this.modules.introspect(type);
        return 'each time';
      } catch {
        return 'not';
      }
    }
  }

  private ask(guard: CanActivate, exchange: GatewayExchange): boolean | Promise<boolean> {
    const { scope } = exchange.carrier;
    const answer = this.context.run(scope, () =>
      guard.canActivate(new RouteExecutionContext(exchange)),
    );
    return isObservable(answer) ? lastValueFrom(answer) : answer;
  }
}

/** Most guards know at once, and cost no promise then. */
function goOn(
  passes: boolean | Promise<boolean>,
  next: () => void | Promise<void>,
): void | Promise<void> {
  if (passes instanceof Promise) return passes.then((settled) => goOn(settled, next));
  // Whatever is not true is taken for no.
  if ((passes as unknown) !== true) throw new ForbiddenException('Forbidden resource');
  return next();
}
