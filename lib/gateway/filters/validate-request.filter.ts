import { BadRequestException, UnsupportedMediaTypeException } from '@nestjs/common';
import { refuse } from '../../common/option-readers.js';
import type { StandardSchema } from '../../config-client/config-validation.js';
import type { Args } from '../args.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter } from './gateway-filter.js';

/** What a route's requests must look like; only in code. */
export interface ValidateRequestArgs {
  /** What their body must be, as JSON: any schema of Standard Schema, such as zod's. @default no matter */
  readonly body?: StandardSchema;
  /** What their query must be: texts by name, lists where a name comes more than once. @default no matter */
  readonly query?: StandardSchema;
  /** The most bytes of a body that are taken into memory; a larger one is answered 413. @default 1048576, 1 MiB */
  readonly max?: number;
}

/**
 * Lets only requests pass that fit a schema, so that a service need not hear of the others: 400 where one does not fit, 415
 * for a body that is no JSON. What passes goes on byte for byte; what a schema would change of it is not sent.
 */
export const validateRequest = defineFilter({
  name: 'ValidateRequest',
  read: (args: Args<ValidateRequestArgs>) => ({
    body: args.read('body', schemaAt),
    query: args.read('query', schemaAt),
    max: args.integer('max', { default: 1 << 20, min: 1 }),
  }),
  create:
    ({ body, query, max }) =>
    async (exchange, next) => {
      if (query) await check(query, queryOf(exchange.target), 'query');
      if (body) await check(body, await jsonOf(exchange, max), 'body');
      return next(exchange);
    },
});

function schemaAt(value: unknown, path: string): StandardSchema | undefined {
  if (value === undefined || (Object(value) === value && '~standard' in (value as object)))
    return value as StandardSchema | undefined;
  return refuse(path, 'is no Standard Schema', "Write one in code, such as zod's.");
}

/** Names the places that do not fit and never a value, which could be a secret. */
async function check(schema: StandardSchema, value: unknown, what: string): Promise<void> {
  const { issues } = await schema['~standard'].validate(value);
  if (issues === undefined) return;
  const places = issues.slice(0, 5).map(({ path = [] }) => [what, ...path.map(keyOf)].join('.'));
  throw new BadRequestException(`Does not fit: ${[...new Set(places)].join(', ')}`);
}

function keyOf(step: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof step === 'object' ? step.key : step);
}

async function jsonOf(exchange: GatewayExchange, max: number): Promise<unknown> {
  const type = exchange.headers.get('content-type') ?? '';
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type))
    throw new UnsupportedMediaTypeException('Only JSON is taken here');
  // What is compressed would have to be opened first, which a bomb waits for.
  if (exchange.headers.get('content-encoding') !== undefined)
    throw new UnsupportedMediaTypeException('Only plain JSON is taken here');
  const bytes = await exchange.readBody(max);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw new BadRequestException('The body is no JSON');
  }
}

function queryOf(target: string): Readonly<Record<string, string | string[]>> {
  const mark = target.indexOf('?');
  const all = new URLSearchParams(mark === -1 ? '' : target.slice(mark));
  // Without a prototype, so that `__proto__` is a name like any other.
  const query = Object.create(null) as Record<string, string | string[]>;
  for (const name of new Set(all.keys())) {
    const values = all.getAll(name);
    query[name] = values.length === 1 ? (values[0] as string) : values;
  }
  return query;
}
