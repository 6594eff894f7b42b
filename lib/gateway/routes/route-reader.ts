import type { CanActivate } from '@nestjs/common';
import {
  duration,
  flag,
  group,
  integer,
  list,
  made,
  type OptionReader,
  optional,
  record,
  refuse,
  textOf,
} from '../../common/option-readers.js';
import type { AccessRule } from '../../security/access-rule.js';
import { readAccessRule } from '../../security/access-rule.options.js';
import { type RateLimit, readRateLimit } from '../../security/rate-limits/rate-limit.js';
import { type CorsOptions, readCors } from '../door/cors.options.js';
import { readRouteTimeouts } from './route-timeouts.js';
import type { FilterSpec } from '../filters/gateway-filter.js';
import type { RouteGuard } from '../filters/guard.filter.js';
import type { PredicateSpec } from '../predicates/route-predicate.js';

/** One text or several, as a list. */
const texts: OptionReader<readonly string[]> = (value, path) =>
  value === undefined || Array.isArray(value)
    ? list(textOf())(value, path)
    : [textOf()(value, path)];

const scalar: OptionReader<string | number | boolean> = (value, path) => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  return refuse(path, 'is no plain value', 'Make it a text, a number, true or false.');
};

const SLASH = { matches: /^\//, remedy: "Begin it with '/'." };

/** What a filter or predicate is written as; its arguments are read when a route is compiled. */
const spec = made(
  (value): value is string | Readonly<Record<string, unknown>> =>
    typeof value === 'string' ||
    (typeof value === 'object' && value !== null && !Array.isArray(value)),
  'its name, an object such as { Name: { … } }, or made in code',
);

/** Reads filters as they are written on a route or for all. */
export const readFilters: OptionReader<readonly FilterSpec[]> = list(spec);

/** Reads predicates as they are written on a route. */
const readPredicates: OptionReader<readonly PredicateSpec[]> = list(spec);

/** Reads Nest guards. */
export const readGuards: OptionReader<readonly RouteGuard[]> = list(made(isGuard, 'a Nest guard'));

const readRules: OptionReader<readonly AccessRule[]> = (value, path) =>
  Array.isArray(value) ? list(readAccessRule)(value, path) : [readAccessRule(value, path)];

const readRouteCors: OptionReader<CorsOptions | false> = (value, path) =>
  value === false ? false : checkedAs<CorsOptions>(readCors)(value, path);

/** Reads an explicit route; its paths and members are understood later, when it is compiled. */
export const readRoute = group({
  id: optional(textOf()),
  path: textOf(SLASH),
  method: texts,
  host: texts,
  to: textOf(),
  rewrite: optional(textOf(SLASH)),
  stripPrefix: optional(textOf(SLASH)),
  timeout: optional(duration(0)),
  timeouts: readRouteTimeouts,
  bodyLimit: optional(integer(0, { min: 0 })),
  order: integer(0),
  predicates: readPredicates,
  filters: readFilters,
  guards: readGuards,
  auth: optional(readRules),
  public: optional(flag(false)),
  rateLimits: list(checkedAs<RateLimit>(readRateLimit)),
  cors: optional(readRouteCors),
  subset: optional(
    group({ version: optional(textOf()), zone: optional(textOf()), metadata: record(textOf()) }),
  ),
  metadata: record(scalar),
});

/** Checks now what is read when the route is compiled. */
function checkedAs<T>(read: OptionReader<unknown>): OptionReader<T> {
  return (value, path) => {
    read(value, path);
    return value as T;
  };
}

function isGuard(value: unknown): value is RouteGuard {
  const holder: unknown = typeof value === 'function' ? value.prototype : value;
  return (
    typeof holder === 'object' &&
    holder !== null &&
    typeof (holder as Partial<CanActivate>).canActivate === 'function'
  );
}
