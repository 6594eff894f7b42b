import type { PathVariant } from '../../discovery/manifest/path-pattern.js';
import { type Choice, PathNode } from './path-node.js';
import { matchParts } from './segments.js';

/** Which requests an entry is for. */
export interface RouteKey {
  /** In capitals; `ALL` is every method. */
  readonly method: string;
  /** `shop.example.com`, `*.example.com`, or empty for all. */
  readonly host: string;
  readonly variant: PathVariant;
}

/** What a request asks for. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly host: string;
}

/**
 * Finds the most specific entry for a request, in one walk over the path's segments.
 *
 * Of what is added for the same key, the first stays. Each node is visited once at most, so no path takes long.
 */
export class RouteMatcher<T> {
  private readonly hosts = new Map<string, PathNode<T>>();
  /** `.example.com`, the longest first. */
  private suffixes: readonly string[] = [];
  private readonly anyHost = new PathNode<T>();
  // What is being looked for; fields, because an object for each request would cost more than the search.
  private method = '';
  private path = '';
  private end = 0;
  private choose: Choice<T> | undefined = undefined;

  /** @param join is told of an entry whose key is taken, and by which */
  constructor(private readonly join: (known: T, further: T) => void = () => {}) {}

  get isEmpty(): boolean {
    return this.hosts.size === 0 && this.anyHost.isEmpty;
  }

  add(key: RouteKey, entry: T): void {
    const known = this.rootOf(key.host).below(key.variant).add(key.method, entry);
    if (known !== undefined) this.join(known, entry);
  }

  /** The entry of a request; its path is canonical, its host without port and in small letters. */
  find(method: string, path: string, host: string): T | undefined {
    this.method = method;
    this.path = path;
    // Slashes at the end count for nothing, and '/' has no segments.
    this.end = path.charCodeAt(path.length - 1) === 47 ? path.length - 1 : path.length;
    const entry = this.hosts.size > 0 ? this.findByHost(host) : undefined;
    return entry ?? this.walk(this.anyHost, 0);
  }

  /** The same, of the entries that a choice takes; where it takes none, the next best are asked. */
  findWhere({ method, path, host }: Asked, choose: Choice<T>): T | undefined {
    this.choose = choose;
    try {
      return this.find(method, path, host);
    } finally {
      this.choose = undefined;
    }
  }

  private findByHost(host: string): T | undefined {
    const exact = this.hosts.get(host);
    const entry = exact && this.walk(exact, 0);
    if (entry !== undefined) return entry;
    for (const suffix of this.suffixes) {
      const node = host.endsWith(suffix) ? this.hosts.get(`*${suffix}`) : undefined;
      const found = node && this.walk(node, 0);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Looks below a node for what follows the slash at a place. */
  private walk(node: PathNode<T>, from: number): T | undefined {
    if (from >= this.end) return node.entryFor(this.method, this.choose);
    let stop = this.path.indexOf('/', from + 1);
    if (stop === -1 || stop > this.end) stop = this.end;
    // Where nothing is compared, as on the way to most parameters, no text is cut out.
    const compared = node.literals !== undefined || node.mixed.length > 0;
    const segment = compared ? this.path.slice(from + 1, stop) : '';
    const literal = node.literals?.get(segment);
    const entry = literal && this.walk(literal, stop);
    return entry ?? this.walkOthers(node, segment, stop);
  }

  private walkOthers(node: PathNode<T>, segment: string, stop: number): T | undefined {
    for (const { parts, node: below } of node.mixed) {
      const found = matchParts(parts, segment) && this.walk(below, stop);
      if (found !== undefined) return found;
    }
    const entry = node.param && this.walk(node.param, stop);
    return entry ?? node.wildcard?.entryFor(this.method, this.choose);
  }

  private rootOf(host: string): PathNode<T> {
    if (host === '') return this.anyHost;
    const known = this.hosts.get(host);
    if (known) return known;
    const root = new PathNode<T>();
    this.hosts.set(host, root);
    this.suffixes = [...this.hosts.keys()]
      .filter((each) => each.startsWith('*'))
      .map((each) => each.slice(1))
      .toSorted((a, b) => b.length - a.length);
    return root;
  }
}
