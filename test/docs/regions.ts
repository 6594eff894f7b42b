import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The pieces of a test between `// docs: name` and `// end`, as they stand in a page. */
export function regionsOf(file: string): ReadonlyMap<string, string> {
  const source = readFileSync(join(import.meta.dirname, file), 'utf8');
  const regions = new Map<string, string>();
  for (const [, indent = '', name = '', body = ''] of source.matchAll(
    /^( *)\/\/ docs: (.+)\n([\s\S]*?)^ *\/\/ end$/gm,
  ))
    regions.set(name, body.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trim());
  return regions;
}

/** The pieces of TypeScript in a page of `docs/`. */
export function snippetsOf(page: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code.trim());
}
