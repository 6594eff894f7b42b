import type { Upstreams } from '../upstream/upstreams.js';
import type { Clock } from '../common/clock.js';
import { refuse } from '../common/option-readers.js';
import { Args } from './args.js';
import type { ResponseStore } from './response-cache/response-store.js';

/** What a filter or predicate may use when it is made for a route. */
export interface RouteTools {
  readonly clock: Clock;
  readonly upstreams: Upstreams;
  /** The answers that are kept, of all routes. */
  readonly responses: ResponseStore;
  /** The route it is made for. */
  readonly route: { readonly id: string; readonly path: string; readonly to: string };
  /** A number from 0 up to, but not including, 1. */
  readonly random: () => number;
}

/** A kind of filter or predicate: its name in configuration, and how one is made of what was written for it. */
export interface Definition<M> {
  readonly kind: 'filter' | 'predicate';
  readonly name: string;
  /** @throws InvalidOptionsError */
  make(given: unknown, path: string, tools: RouteTools): M;
}

/** A filter or predicate with its arguments, not yet made for a route. */
export interface Use<M> {
  readonly definition: Definition<M>;
  readonly args: unknown;
}

/** Makes uses of a definition in code: `stripPrefix({ parts: 1 })`. */
export type Factory<M, A extends object> = ((
  ...args: Partial<A> extends A ? [args?: A] : [args: A]
) => Use<M>) & { readonly definition: Definition<M> };

/** How a member is defined: read once when a route is compiled, made once for it. */
export interface MemberParts<M, A extends object, S> {
  /** The name in configuration, such as `StripPrefix`. */
  readonly name: string;
  /** Reads what was written; refuses what cannot be used. */
  readonly read: (args: Args<A>) => S;
  /** Makes the member for one route. */
  readonly create: (settings: S, tools: RouteTools) => M;
}

/** @internal */
export function define<M, A extends object, S>(
  kind: Definition<M>['kind'],
  { name, read, create }: MemberParts<M, A, S>,
): Factory<M, A> {
  const definition: Definition<M> = {
    kind,
    name,
    make: (given, path, tools) => {
      const args = new Args<A>(given, path);
      const settings = read(args);
      args.end();
      return create(settings, tools);
    },
  };
  const factory = (args?: A): Use<M> => ({ definition, args });
  return Object.assign(factory as unknown as Factory<M, A>, { definition });
}

/** How a filter or predicate is written: made in code, by its name, or as its name with arguments. */
export type Spec<M> = Use<M> | string | Readonly<Record<string, unknown>>;

/** The members that can be named. */
export class Definitions<M> {
  private readonly byName = new Map<string, Definition<M>>();

  constructor(
    private readonly kind: Definition<M>['kind'],
    definitions: readonly Definition<M>[],
  ) {
    for (const each of definitions) this.byName.set(each.name.toLowerCase(), each);
  }

  /** What was written, with its definition; throws `InvalidOptionsError` for what is not known. */
  use(spec: Spec<M>, path: string): Use<M> & { readonly path: string } {
    if (isUse<M>(spec)) return { ...spec, path: `${path}.${this.check(spec, path).name}` };
    const entries = typeof spec === 'string' ? [[spec, undefined] as const] : Object.entries(spec);
    const [entry] = entries;
    if (!entry || entries.length > 1)
      refuse(path, `does not name one ${this.kind}`, `Write it like { Name: { … } }.`);
    const definition = this.byName.get(entry[0].toLowerCase());
    const known = [...this.byName.values()].map(({ name }) => name).join(', ');
    if (!definition)
      refuse(path, `names the ${this.kind} '${entry[0]}', which is not known`, `Known: ${known}.`);
    return { definition, args: entry[1], path: `${path}.${definition.name}` };
  }

  private check({ definition }: Use<M>, path: string): Definition<M> {
    if (definition.kind === this.kind) return definition;
    return refuse(path, `is a ${definition.kind}`, `Only a ${this.kind} can stand here.`);
  }
}

function isUse<M>(spec: Spec<M>): spec is Use<M> {
  if (typeof spec !== 'object') return false;
  const { definition } = spec as Partial<Use<M>>;
  return typeof definition?.make === 'function';
}
