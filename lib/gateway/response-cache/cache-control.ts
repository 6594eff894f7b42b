/** What a `Cache-Control` says: directives in small letters, with their values. */
export type Directives = ReadonlyMap<string, string>;

const DIRECTIVE = /([!#$%&'*+.^_`|~\w-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g;

/** Reads every line of a `Cache-Control`; of a directive that is there twice, the first counts (RFC 9111, 4.2.1). */
export function directivesOf(lines: readonly string[]): Directives {
  const directives = new Map<string, string>();
  for (const line of lines) {
    for (const [, name = '', quoted, plain] of line.matchAll(DIRECTIVE)) {
      const lower = name.toLowerCase();
      if (!directives.has(lower)) directives.set(lower, quoted ?? plain ?? '');
    }
  }
  return directives;
}

/** A directive's seconds; undefined when it is not there, and 0 when they cannot be read, which is the safe side. */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const value = directives.get(name);
  if (value === undefined) return undefined;
  return /^\d{1,10}$/.test(value) ? Number(value) : 0;
}
