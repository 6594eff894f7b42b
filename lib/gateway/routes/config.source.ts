import { Injectable, Optional } from '@nestjs/common';
import { messageOf } from '../../common/errors.js';
import { refuse } from '../../common/option-readers.js';
import { ConfigClient } from '../../config-client/config-client.js';
import { Bell } from './bell.js';
import type { RouteDefinition } from './route-definition.js';
import { readRoute } from './route-reader.js';
import { type RouteSnapshot, RouteSource } from './route-source.js';

/** The key that routes stand under. */
const KEY = 'gateway.routes';

/**
 * Routes of the application's configuration, as a list or by their ids; a change of it is served at once, and a wrong
 * route costs only itself. Without `ConfigClientModule` there are none.
 *
 * @example
 * // gateway:
 * //   routes:
 * //     legacy:
 * //       path: /v0/{*rest}
 * //       to: http://10.0.0.9:8080
 * //       predicates: [{ Header: { name: x-beta } }]
 * //       filters: [StripPrefix, { SetRequestHeader: { headers: { x-tenant: a } } }]
 */
@Injectable()
export class ConfigRouteSource extends RouteSource {
  override readonly name = 'the configuration';
  /** By their text: the same objects spare others their work. */
  private known: ReadonlyMap<string, RouteDefinition> = new Map();

  constructor(@Optional() private readonly config?: ConfigClient) {
    super();
  }

  override async *routes(signal: AbortSignal): AsyncGenerator<RouteSnapshot> {
    const { config } = this;
    if (!config) {
      yield { kind: 'explicit', routes: [] };
      return;
    }
    const bell = new Bell();
    const changes = config.changes$.subscribe(() => bell.ring());
    try {
      while (!signal.aborted) {
        yield this.snapshot(config);
        await bell.wait(signal);
      }
    } finally {
      changes.unsubscribe();
    }
  }

  private snapshot(config: ConfigClient): RouteSnapshot {
    const refused: string[] = [];
    const known = new Map<string, RouteDefinition>();
    for (const [key, value] of entriesOf(config.get(KEY), refused)) {
      const text = JSON.stringify([key, value]);
      try {
        known.set(text, this.known.get(text) ?? read(key, value));
      } catch (error) {
        refused.push(messageOf(error));
      }
    }
    this.known = known;
    return { kind: 'explicit', routes: [...known.values()], refused };
  }
}

function read(key: string | number, value: unknown): RouteDefinition {
  const path = typeof key === 'number' ? `${KEY}[${key}]` : `${KEY}.${key}`;
  if (typeof value !== 'object' || value === null)
    refuse(path, 'is no route', 'Write its path and to.');
  return readRoute(typeof key === 'number' ? value : { id: key, ...value }, path);
}

function entriesOf(
  value: unknown,
  refused: string[],
): readonly (readonly [string | number, unknown])[] {
  if (value === undefined || value === null || value === '') return [];
  if (Array.isArray(value)) return value.map((item: unknown, index) => [index, item] as const);
  if (typeof value === 'object') return Object.entries(value);
  refused.push(`${KEY} is no list of routes. Write them in square brackets, or by their ids.`);
  return [];
}
