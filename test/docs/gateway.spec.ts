import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import type { Definition, RouteTools } from '../../lib/gateway/definition.js';
import { filters } from '../../lib/gateway/filters/built-in.js';
import { predicates } from '../../lib/gateway/predicates/built-in.js';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/gateway.md'), 'utf8');
const SECTIONS = new Map(
  PAGE.split(/^### /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), text.split(/^## /m)[0] ?? '']),
);
/** Their arguments are functions or schemas. */
const IN_CODE: Readonly<Record<string, object>> = {
  ModifyRequestBody: { transform: (body: Buffer) => body },
  ModifyResponseBody: { transform: (body: Buffer) => body },
  ValidateRequest: {},
};
const BUILT_IN: readonly Definition<unknown>[] = [...predicates, ...filters];
/** An argument that nothing knows. */
const UNKNOWN = 'nobody knows this';
// Arguments are checked before anything is made with a tool.
const TOOLS = {} as RouteTools;

function exampleOf(name: string): object {
  const inCode = IN_CODE[name];
  if (inCode) return inCode;
  const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(SECTIONS.get(name) ?? '') ?? [];
  const example: unknown = parse(text);
  if (example === name) return {};
  return (example as Record<string, object>)[name] as object;
}

/** The arguments that a member knows: it names them when it is given another beside its example. */
function argumentsOf(definition: Definition<unknown>): readonly string[] {
  let problem = '';
  try {
    definition.make({ ...exampleOf(definition.name), [UNKNOWN]: true }, 'x', TOOLS);
  } catch (error) {
    problem = String(error);
  }
  expect(problem).toContain(UNKNOWN);
  const [, names = ''] = /Known options: (.*)\./.exec(problem) ?? [];
  return names.split(', ').filter(Boolean);
}

describe('docs/gateway.md', () => {
  it('has every predicate and filter, and no other', () => {
    const names = BUILT_IN.map(({ name }) => name);
    expect([...SECTIONS.keys()].toSorted()).toEqual(names.toSorted());
  });

  it.each(BUILT_IN.map((each) => [each.name, each] as const))(
    'tells the arguments of %s, with an example that is read',
    (name, definition) => {
      const rows = (SECTIONS.get(name) ?? '').matchAll(/^\| `(\w+)` +\| .*\S.* \| .*\S.* \|$/gm);
      const told = [...rows].map(([, argument = '']) => argument);
      expect(told.toSorted()).toEqual(argumentsOf(definition).toSorted());
    },
  );
});
