import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');
const LIST = join(ROOT, 'test', 'public-api.txt');

interface Package {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly typesVersions: { readonly '*': Readonly<Record<string, readonly string[]>> };
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Package;
const rooms = readdirSync(join(ROOT, 'lib'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted();

/** The names a face exports; types carry the word `type`. */
function namesOf(face: string): string[] {
  const source = readFileSync(join(ROOT, 'lib', face), 'utf8');
  const names = [...source.matchAll(/^export (type )?\{([^}]*)\} from '[^']+';$/gm)].flatMap(
    ([, allTypes = '', list = '']) =>
      list
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean)
        .map((name) => allTypes + name),
  );
  return names.toSorted((a, b) =>
    a.replace('type ', '').localeCompare(b.replace('type ', ''), 'en'),
  );
}

describe('the public API', () => {
  it('is exactly what test/public-api.txt lists (UPDATE_API=1 writes it anew)', () => {
    const faces = ['', ...rooms.map((room) => `${room}/`)];
    const list = faces
      .map((face) => {
        const title = `nest-rookery${face && `/${face.slice(0, -1)}`}`;
        return [title, ...namesOf(`${face}index.ts`).map((name) => `  ${name}`)].join('\n');
      })
      .join('\n\n');
    if (process.env['UPDATE_API']) writeFileSync(LIST, `${list}\n`);
    expect(`${list}\n`).toBe(readFileSync(LIST, 'utf8'));
  });

  it('has every room as a subpath, for old and new resolvers', () => {
    const subpaths = rooms.map((room) => `./${room}`);
    expect(Object.keys(manifest.exports)).toEqual(['.', ...subpaths, './package.json']);
    expect(Object.keys(manifest.typesVersions['*'])).toEqual(rooms);
  });
});
