import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const BOARDS = join(process.cwd(), 'monitoring/grafana');
/** The types that Grafana makes from its own schema of dashboards, and publishes. */
const SDK = join(process.cwd(), 'node_modules/@grafana/grafana-foundation-sdk/dist');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rookery-grafana-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Grafana itself is no package of npm or Debian, so its schema stands in: a dashboard is compiled as a literal of its
 * types. A field that it does not have, and one of another type, are errors of the compiler.
 */
function faultsOf(boards: Readonly<Record<string, unknown>>): string {
  const text = [
    `import type { Dashboard, Panel } from '${SDK}/dashboard/types.gen.js';`,
    `import type { Dataquery } from '${SDK}/prometheus/types.gen.js';`,
    // JSON has the words of its enumerations and none of its markers.
    'type Plain<T> = T extends string ? `${T}` : T extends (infer E)[] ? Plain<E>[] : T extends object',
    '  ? { [K in keyof T as K extends `_${string}` ? never : K]: Plain<T[K]> } : T;',
    "type Shown = Omit<Plain<Panel>, 'targets'> & { targets: Plain<Dataquery>[] };",
    "type Board = Omit<Plain<Dashboard>, 'panels'> & { panels: Shown[] };",
    ...Object.entries(boards).map(
      ([name, board]) => `export const ${name}: Board = ${JSON.stringify(board)};`,
    ),
  ];
  const file = join(folder, 'boards.ts');
  writeFileSync(file, text.join('\n'));
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--target',
    'es2022',
  ];
  const modules = ['--module', 'esnext', '--moduleResolution', 'bundler', '--types', ''];
  try {
    execFileSync(
      process.execPath,
      ['node_modules/typescript/bin/tsc', ...options, ...modules, file],
      { encoding: 'utf8', stdio: 'pipe' },
    );
    return '';
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}

interface Board {
  readonly uid: string;
  readonly panels: readonly {
    readonly id: number;
    readonly gridPos: { readonly x: number; readonly y: number };
  }[];
}

const boards = Object.fromEntries(
  readdirSync(BOARDS).map((file) => [
    file.replaceAll(/\W/g, '_'),
    JSON.parse(readFileSync(join(BOARDS, file), 'utf8')) as Board,
  ]),
);

describe("Grafana's schema", () => {
  it('has everything that the dashboards say', () => {
    expect(Object.keys(boards)).toHaveLength(3);
    expect(faultsOf(boards)).toBe('');
  }, 30_000);

  it('finds fault with what it does not have', () => {
    const [board] = Object.values(boards) as [Board];
    const [panel] = board.panels as [Board['panels'][0]];
    const faults = faultsOf({
      field: { ...board, colour: 'red' },
      type: { ...board, panels: [{ ...panel, gridPos: { x: 'left', y: 0, w: 1, h: 1 } }] },
      word: { ...board, templating: { list: [{ name: 'a', type: 'guess' }] } },
      target: { ...board, panels: [{ ...panel, targets: [{ refId: 'A', query: 'up' }] }] },
    });
    expect(faults).toMatch(/'"colour"' does not exist/);
    expect(faults).toMatch(/'string' is not assignable to type 'number'/);
    expect(faults).toMatch(/"guess"/);
    expect(faults).toMatch(/'"query"' does not exist/);
  }, 30_000);

  it('leaves it to us that each dashboard, panel and place is there once', () => {
    const uids = Object.values(boards).map(({ uid }) => uid);
    expect(new Set(uids).size).toBe(uids.length);
    for (const { panels } of Object.values(boards)) {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const places = panels.map(({ gridPos: { x, y } }) => `${x} ${y}`);
      expect(new Set(places).size).toBe(panels.length);
    }
  });
});
