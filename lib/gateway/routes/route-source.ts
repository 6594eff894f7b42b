import type { DiscoveredRoute, RouteDefinition } from './route-definition.js';

/** What a source knows at a moment. */
export type RouteSnapshot =
  /** Written by the gateway's owner: they are served as they are. */
  | {
      readonly kind: 'explicit';
      readonly routes: readonly RouteDefinition[];
      /** What could not be read, a sentence each. @default none */
      readonly refused?: readonly string[];
    }
  /** Looked at behind all others. */
  | { readonly kind: 'fallback'; readonly routes: readonly RouteDefinition[] }
  /** Said by services about themselves: they never stand before others, and conflicts are settled. */
  | {
      readonly kind: 'discovered';
      readonly routes: readonly DiscoveredRoute[];
      /** What could not be read, a sentence each. */
      readonly refused: readonly string[];
    };

/** Where routes come from. */
export abstract class RouteSource {
  /** What it is called in messages. */
  abstract readonly name: string;

  /** Yields whole snapshots, the first at once. A stream that throws is opened again; its last routes stay. */
  abstract routes(signal: AbortSignal): AsyncIterable<RouteSnapshot>;
}

/** The injection token of the list of all sources. */
export const ROUTE_SOURCES = Symbol('ROUTE_SOURCES');
