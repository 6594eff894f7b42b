import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { InvalidOptionsError } from '../common/errors.js';
import { MetadataExplorer, type Type } from '../common/metadata-explorer.js';
import type { PolicyContext } from './policies/policy.js';
import { Resilience } from './resilience.js';
import { CALL_SIGNAL, RESILIENT, type ResilientMark } from './resilient.decorator.js';

type Method = (...args: unknown[]) => unknown;
type Methods = Record<string | symbol, Method | undefined>;
type Fallback = (cause: unknown, args: readonly unknown[]) => unknown;

/** Puts policies around the methods that `@Resilient` has marked, once at the start, before routes are made of them. */
@Injectable()
export class ResilientExplorer implements OnModuleInit {
  constructor(
    private readonly explorer: MetadataExplorer,
    private readonly resilience: Resilience,
    private readonly modules: ModuleRef,
  ) {}

  async onModuleInit(): Promise<void> {
    this.refuseScoped();
    for (const instance of this.instances()) {
      for (const mark of marksOf(instance)) await this.protect(instance, mark);
    }
  }

  private instances(): ReadonlySet<object> {
    const found = new Set<object>(this.explorer.providersOf(Object as Type));
    for (const wrapper of this.explorer.controllers()) {
      const instance: unknown = wrapper.isDependencyTreeStatic() ? wrapper.instance : undefined;
      if (typeof instance === 'object' && instance !== null) found.add(instance);
    }
    return found;
  }

  /** What is made anew for each request cannot be wrapped once. */
  private refuseScoped(): void {
    const scoped = this.explorer.scoped().find((type) => marksOf(type.prototype).length > 0);
    if (scoped === undefined) return;
    throw new InvalidOptionsError(
      `@Resilient is on a method of ${scoped.name}, which is made anew for each request. Move the method to a provider of default scope, or call Resilience.execute.`,
    );
  }

  /** On the instance, not on the class: two applications in one process must not share it. */
  private async protect(instance: object, mark: ResilientMark): Promise<void> {
    const { method } = mark;
    const own = `${instance.constructor.name}.${String(method)}`;
    const name = typeof mark.policy === 'string' ? mark.policy : own;
    await this.resilience.define(
      name,
      typeof mark.policy === 'string' ? undefined : (mark.policy ?? {}),
    );
    const original = (instance as Methods)[method] as Method;
    const fallback = this.fallbackOf(instance, mark, own);
    const at = Reflect.getMetadata(CALL_SIGNAL, instance, method) as number | undefined;
    const { resilience } = this;
    const wrapper = function (this: unknown, ...args: unknown[]): unknown {
      const task = ({ signal }: PolicyContext) =>
        original.apply(this, at === undefined ? args : withSignal(args, at, signal));
      return resilience.execute(name, task, {
        key: () => `${own}(${keyOf(args)})`,
        fallback: fallback && ((cause: unknown) => fallback(cause, args)),
      });
    };
    Object.defineProperty(wrapper, 'name', { value: String(method) });
    // Nest reads guards, interceptors and the like from the method itself.
    for (const key of Reflect.getMetadataKeys(original) as unknown[]) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, original), wrapper);
    }
    Object.defineProperty(instance, method, { configurable: true, writable: true, value: wrapper });
  }

  private fallbackOf(instance: object, mark: ResilientMark, own: string): Fallback | undefined {
    const { fallback, method } = mark;
    if (fallback === undefined) return undefined;
    if (typeof fallback === 'object') return () => fallback.value;
    const holder = typeof fallback === 'string' ? instance : this.providerOf(fallback, own);
    const name = typeof fallback === 'string' ? fallback : method;
    if (typeof (holder as Methods)[name] !== 'function') {
      throw new InvalidOptionsError(
        `@Resilient on ${own} falls back to ${holder.constructor.name}.${String(name)}, which is no method. Write it, or leave the fallback out.`,
      );
    }
    return (cause, args) => (holder as Methods)[name]?.(cause, ...args);
  }

  private providerOf(type: Type, own: string): object {
    try {
      return this.modules.get(type as never, { strict: false });
    } catch (cause) {
      throw new InvalidOptionsError(
        `@Resilient on ${own} falls back to ${type.name}, which is no provider: ${String(cause instanceof Error ? cause.message : cause)}. Add it to the providers of a module.`,
      );
    }
  }
}

function marksOf(target: object): readonly ResilientMark[] {
  return (Reflect.getMetadata(RESILIENT, target) ?? []) as readonly ResilientMark[];
}

/** A signal that the caller gave goes before. */
function withSignal(args: readonly unknown[], at: number, signal: AbortSignal): unknown[] {
  const all = [...args];
  all[at] ??= signal;
  return all;
}

/** What tells calls apart for a cache; what cannot be written down is told apart from nothing. */
function keyOf(args: readonly unknown[]): string {
  try {
    return JSON.stringify(args);
  } catch {
    return `unknown ${Math.random()}`;
  }
}
