import type { Args } from '../args.js';
import { transformResponse } from './modify-body.filter.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter } from './gateway-filter.js';

/** What is taken out of JSON. */
export interface RemoveJsonFieldsArgs {
  /** Names, wherever they stand, or ways from the top such as `user.password`; lists are gone through. */
  readonly fields: string | readonly string[];
  /** The most bytes that are taken into memory; a larger answer fails with 502. @default 1048576, 1 MiB */
  readonly max?: number;
}

/**
 * Takes fields out of JSON answers: `removeJsonFields({ fields: ['password', 'audit.by'] })`. An answer that says to be
 * JSON and is none fails with 502, because nobody knows what it holds. Whole numbers beyond 2^53 lose digits, as ever in
 * JavaScript.
 */
export const removeJsonFields = defineFilter({
  name: 'RemoveJsonFields',
  read: (args: Args<RemoveJsonFieldsArgs>) => {
    const fields = args.texts('fields');
    if (fields.length === 0) args.refuse('fields', 'is empty', 'Name a field.');
    return {
      names: new Set(fields.filter((field) => !field.includes('.'))),
      ways: fields.filter((field) => field.includes('.')).map((field) => field.split('.')),
      max: args.integer('max', { default: 1 << 20, min: 1 }),
    };
  },
  create: ({ names, ways, max }) => {
    const transform = (body: Buffer): Buffer => {
      if (body.length === 0) return body;
      const document: unknown = JSON.parse(body.toString('utf8'), (_key, value: unknown) =>
        without(value, names),
      );
      for (const way of ways) cut(document, way);
      return Buffer.from(JSON.stringify(document));
    };
    return transformResponse(max, (exchange) => (isJson(exchange) ? transform : undefined));
  },
});

function isJson({ response }: GatewayExchange): boolean {
  return /^[^;]*[/+]json\b/i.test(response?.headers.get('content-type') ?? '');
}

function without(value: unknown, names: ReadonlySet<string>): unknown {
  if (isObject(value)) for (const name of names) delete value[name];
  return value;
}

/** Takes what lies at the end of a way. */
function cut(value: unknown, [step = '', ...rest]: readonly string[]): void {
  if (Array.isArray(value)) for (const item of value) cut(item, [step, ...rest]);
  else if (!isObject(value) || !Object.hasOwn(value, step)) return;
  else if (rest.length === 0) delete value[step];
  else cut(value[step], rest);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
