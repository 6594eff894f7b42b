import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** The floors of ARCHITECTURE.md; a room may import rooms on lower floors. */
const FLOORS: Readonly<Record<string, number>> = {
  common: 1,
  health: 2,
  security: 2,
  discovery: 3,
  resilience: 4,
  'config-client': 3,
  'load-balancing': 4,
  'config-server': 4,
  upstream: 5,
  gateway: 6,
  client: 6,
  messaging: 6,
  telemetry: 7,
  management: 8,
  testing: 9,
  roof: 9,
};

/** Where a third-party package may be imported: one file, or one folder whose subject it is. */
const ADAPTERS: Readonly<Record<string, RegExp>> = {
  consul: /^(discovery\/backends\/consul|config-client\/sources\/consul-kv)/,
  opossum: /^resilience\/policies\/circuit-breaker\.policy\.ts$/,
  jose: /^security\/tokens\/jose\.ts$/,
  ioredis:
    /^(security\/rate-limits\/redis|discovery\/backends\/redis|config-server\/repositories\/redis)/,
  'rate-limiter-flexible': /^security\/rate-limits\/redis-rate-limits\.ts$/,
  yaml: /^common\/properties\/yaml-format\.ts$/,
  undici: /^upstream\/transports\/undici[a-z.-]*\.ts$/,
  'http-cache-semantics': /^common\/http-cache-policy\.ts$/,
  pino: /^telemetry\/rookery-logger\.ts$/,
  'prom-client': /^telemetry\/metrics\/prometheus-format\.ts$/,
  '@opentelemetry/api': /^telemetry\/tracing\/open-telemetry\.ts$/,
  '@nestjs/terminus': /^health\//,
  '@nestjs/config': /^config-client\/nest-config\.bridge\.ts$/,
  '@nestjs/microservices': /^messaging\//,
  '@grpc/grpc-js': /^messaging\/grpc\/grpc-resolver\.ts$/,
  '@nestjs/testing': /^testing\/test-cluster\.ts$/,
};

/** What Nest itself is made of; every room may use it. */
const GROUND = new Set(['@nestjs/common', '@nestjs/core', 'rxjs', 'reflect-metadata']);

const ROOT = join(import.meta.dirname, '..', 'lib');

interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const files = (readdirSync(ROOT, { recursive: true }) as string[])
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'));
const sources = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
const imports = files.flatMap((file) => importsOf(file, sources.get(file) ?? ''));
const inner = imports.filter(({ specifier }) => specifier.startsWith('.'));

/** Reads the static, re-exporting and dynamic imports of a file. */
function importsOf(from: string, source: string): Import[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  for (const [, typed, specifier = ''] of code.matchAll(
    /^(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'/gm,
  )) {
    found.push({ from, specifier, typeOnly: typed !== undefined });
  }
  for (const [, specifier = ''] of code.matchAll(/^import\s+'([^']+)'/gm)) {
    found.push({ from, specifier, typeOnly: false });
  }
  for (const [, typed, specifier = ''] of code.matchAll(
    /(typeof\s+)?\bimport\(\s*'([^']+)'\s*\)/g,
  )) {
    found.push({ from, specifier, typeOnly: typed !== undefined });
  }
  return found;
}

function target({ from, specifier }: Import): string {
  return normalize(join(dirname(from), specifier))
    .replace(/\.js$/, '.ts')
    .replaceAll('\\', '/');
}

function room(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : 'roof';
}

function floor(name: string): number {
  const known = FLOORS[name];
  if (known === undefined)
    throw new Error(`The room ${name}/ stands on no floor: add it to FLOORS and ARCHITECTURE.md`);
  return known;
}

const show = (each: Import) => `${each.from} imports ${each.specifier}`;

describe('the architecture', () => {
  it('has files to look at, and every room stands on a floor', () => {
    expect(files.length).toBeGreaterThan(40);
    expect(() => files.map((file) => floor(room(file)))).not.toThrow();
  });

  it('reads every kind of import', () => {
    const sample =
      "import type { A } from './a.js';\nimport { B } from './b.js';\nexport { C } from './c.js';\nconst d = await import('d');\n";
    expect(importsOf('x.ts', sample)).toEqual([
      { from: 'x.ts', specifier: './a.js', typeOnly: true },
      { from: 'x.ts', specifier: './b.js', typeOnly: false },
      { from: 'x.ts', specifier: './c.js', typeOnly: false },
      { from: 'x.ts', specifier: 'd', typeOnly: false },
    ]);
  });

  it('lets imports run down the floors only, and never to a sibling', () => {
    const wrong = inner.filter((each) => {
      const [from, to] = [room(each.from), room(target(each))];
      return from !== to && floor(to) >= floor(from);
    });
    expect(wrong.map(show)).toEqual([]);
  });

  it('imports files, not faces', () => {
    const wrong = inner.filter(
      (each) => each.from !== 'index.ts' && target(each).endsWith('index.ts'),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('has faces that re-export by name and nothing else', () => {
    const wrong = [...sources].filter(
      ([file, source]) =>
        file.endsWith('index.ts') &&
        source.replaceAll(/^export (type )?\{[^}]*\} from '[^']+';$/gm, '').trim() !== '',
    );
    expect(wrong.map(([file]) => file)).toEqual([]);
  });

  it('goes up at most two folders', () => {
    expect(inner.filter(({ specifier }) => specifier.startsWith('../../../')).map(show)).toEqual(
      [],
    );
  });

  it('has no circles', () => {
    const edges = new Map<string, string[]>();
    for (const each of inner) {
      if (!each.typeOnly) edges.set(each.from, [...(edges.get(each.from) ?? []), target(each)]);
    }
    expect(circle(edges)).toEqual([]);
  });

  it('adapts each third-party package in one place', () => {
    const wrong = imports.filter(({ from, specifier }) => {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) return false;
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      return !GROUND.has(name) && !ADAPTERS[name]?.test(from);
    });
    expect(wrong.map(show)).toEqual([]);
  });

  it("takes Nest's own provider discovery in one place", () => {
    const wrong = [...sources].filter(
      ([file, source]) =>
        /\bDiscoveryService\b/.test(source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')) &&
        file !== 'common/metadata-explorer.ts',
    );
    expect(wrong.map(([file]) => file)).toEqual([]);
  });

  it('lets observers import only events of the rooms they observe', () => {
    const observers = inner.filter(({ from }) => /^(telemetry|topology)\//.test(from));
    const wrong = observers.filter((each) => {
      const to = target(each);
      return room(to) !== room(each.from) && room(to) !== 'common' && !to.endsWith('.events.ts');
    });
    expect(wrong.map(show)).toEqual([]);
  });

  it('keeps the config server and its clients apart: all they share is in common/properties', () => {
    const wrong = inner.filter(
      (each) => room(each.from) === 'config-server' && room(target(each)) === 'config-client',
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('keeps time in the clock', () => {
    const wrong = [...sources].filter(
      ([file, source]) =>
        /\b(Date\.now|setTimeout|setInterval|performance\.now)\(/.test(
          source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').replaceAll(/\.setTimeout\(/g, ''),
        ) && file !== 'common/clock.ts',
    );
    expect(wrong.map(([file]) => file)).toEqual([]);
  });

  it('has no long files and no state at module level', () => {
    const long = [...sources].filter(([, source]) => source.split('\n').length > 300);
    expect(long.map(([file]) => file)).toEqual([]);
    const state = [...sources].filter(([, source]) => /^(export )?(let|var) /m.test(source));
    expect(state.map(([file]) => file)).toEqual([]);
  });
});

/** One circle of the graph, or nothing. */
function circle(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of edges.get(file) ?? []) {
      const found = visit(next, [...path, file]);
      if (found.length > 0) return found;
    }
    done.add(file);
    return [];
  };
  for (const file of edges.keys()) {
    const found = visit(file, []);
    if (found.length > 0) return found.map((each) => relative('.', each));
  }
  return [];
}
