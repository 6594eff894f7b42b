/** What a request asks of the server; segments are still as they came. */
export type ConfigRoute =
  | { readonly kind: 'environment' | 'explain' | 'watch'; readonly segments: readonly string[] }
  | {
      readonly kind: 'flat';
      readonly segments: readonly string[];
      readonly format: 'yml' | 'properties' | 'json';
    }
  | {
      readonly kind: 'resource';
      readonly segments: readonly string[];
      readonly path: readonly string[];
    }
  | {
      readonly kind: 'encrypt' | 'decrypt' | 'encrypt-status' | 'key';
      readonly segments: readonly string[];
    }
  | { readonly kind: 'monitor' | 'preview' | 'usage'; readonly segments: readonly string[] };

/** A file's ending in the second segment is another endpoint of Spring's. */
const FLAT_FORMAT = /\.(?:ya?ml|properties|json)$/i;

/** `{name}-{profiles}.{format}`: the name is as long as it can be. */
const FLAT = /^(.+)-([^-]+)\.(ya?ml|properties|json)$/i;

/** The endpoint that a path below the prefix belongs to; `undefined` when it is none of ours. */
export function routeOf(
  method: string,
  segments: readonly string[],
  query: URLSearchParams,
): ConfigRoute | undefined {
  if (segments.length === 0 || segments.includes('')) return undefined;
  if (method === 'POST') return posted(segments);
  if (method === 'PUT')
    return segments.join('/') === 'config/usage' ? { kind: 'usage', segments } : undefined;
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  return keyed(segments) ?? ours(segments) ?? flat(segments) ?? environment(segments, query);
}

function posted(segments: readonly string[]): ConfigRoute | undefined {
  const [first] = segments;
  const rest = segments.slice(1);
  if ((first === 'encrypt' || first === 'decrypt') && (rest.length === 0 || rest.length === 2)) {
    return { kind: first, segments: rest };
  }
  if (first === 'monitor' && rest.length === 0) return { kind: 'monitor', segments };
  return segments.join('/') === 'config/preview' ? { kind: 'preview', segments } : undefined;
}

function keyed(segments: readonly string[]): ConfigRoute | undefined {
  const [first, second] = segments;
  if (first === 'key' && segments.length !== 2 && segments.length <= 3) {
    return { kind: 'key', segments: segments.slice(1) };
  }
  const status = first === 'encrypt' && second === 'status' && segments.length === 2;
  return status ? { kind: 'encrypt-status', segments: [] } : undefined;
}

/** What is not Spring's begins with a character that no name has. */
function ours(segments: readonly string[]): ConfigRoute | undefined {
  const last = segments.at(-1);
  const rest = segments.slice(0, -1);
  if (rest.length < 2 || rest.length > 3) return undefined;
  if (last === '$watch') return { kind: 'watch', segments: rest };
  return last === '$explain' ? { kind: 'explain', segments: rest } : undefined;
}

function flat(segments: readonly string[]): ConfigRoute | undefined {
  if (segments.length > 2) return undefined;
  const [, name, profiles, ending] = FLAT.exec(segments.at(-1) ?? '') ?? [];
  if (name === undefined || profiles === undefined || ending === undefined) return undefined;
  const label = segments.length === 2 ? [segments[0] ?? ''] : [];
  const format = ending.toLowerCase().replace('yaml', 'yml') as 'yml' | 'properties' | 'json';
  return { kind: 'flat', segments: [name, profiles, ...label], format };
}

function environment(segments: readonly string[], query: URLSearchParams): ConfigRoute | undefined {
  if (segments.length < 2 || (segments.length === 2 && FLAT_FORMAT.test(segments[1] ?? ''))) {
    return undefined;
  }
  if (segments.length > 3) {
    return { kind: 'resource', segments: segments.slice(0, 3), path: segments.slice(3) };
  }
  if (segments.length === 3 && query.has('useDefaultLabel')) {
    return { kind: 'resource', segments: segments.slice(0, 2), path: segments.slice(2) };
  }
  return { kind: 'environment', segments };
}
