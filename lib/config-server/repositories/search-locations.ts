import { list, type OptionReader, refuse, textOf } from '../../common/option-readers.js';

/** What the placeholders of a search path stand for. */
export interface SearchTerms {
  readonly applications: readonly string[];
  readonly profiles: readonly string[];
  /** The first one is the strongest. */
  readonly labels: readonly string[];
}

const PLACEHOLDER = /\{(application|profile|label)\}/g;

/** Directories below the root, relative to it: `shared`, `{application}`, `teams/*`. */
export const searchPaths: OptionReader<readonly string[]> = (value, path) =>
  list(textOf())(value, path).map((given, at) => {
    const clean = given.replace(/\/+$/, '');
    const bare = clean.replaceAll(PLACEHOLDER, 'x');
    const good = /^[\w.*-]+(?:\/[\w.*-]+)*$/.test(bare) && !/(?:^|\/)\./.test(bare);
    if (good) return clean;
    return refuse(
      `${path}[${at}]`,
      `is '${given}'`,
      "Name a directory below the root, like 'shared' or '{application}'.",
    );
  });

/**
 * The directories that a search looks into, the weakest first: the root, then each search path with its placeholders
 * filled for every profile and application, as Spring fills them.
 */
export function locationsOf(paths: readonly string[], terms: SearchTerms): readonly string[] {
  const { applications, profiles, labels } = terms;
  const found = new Set(['']);
  for (const path of paths) {
    for (const profile of profiles) {
      for (const application of applications) {
        for (const label of path.includes('{label}') ? labels.toReversed() : ['']) {
          const filled = { application, profile, label };
          found.add(
            path.replaceAll(PLACEHOLDER, (_all, name: keyof typeof filled) => filled[name]),
          );
        }
      }
    }
  }
  return [...found];
}

/** The directories that a pattern names, in the order of their names; `*` stands for any part of a name. */
export async function matchingDirectories(
  pattern: string,
  namesIn: (folder: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  if (!pattern.includes('*')) return [pattern];
  let folders = [''];
  for (const segment of pattern.split('/')) {
    const fits = fitting(segment);
    const next = folders.map(async (folder) => {
      const names = segment.includes('*') ? (await namesIn(folder)).toSorted() : [segment];
      return names.filter(fits).map((name) => (folder === '' ? name : `${folder}/${name}`));
    });
    folders = (await Promise.all(next)).flat();
  }
  return folders;
}

/** Walks a name once for each star, so that many stars cost nothing. */
function fitting(pattern: string): (name: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return (name) => name === pattern;
  const last = rest.at(-1) ?? '';
  return (name) => {
    if (name.startsWith('.') || !name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    for (const part of rest.slice(0, -1)) {
      const found = name.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= name.length - last.length;
  };
}
