import type { PropertySource } from '../../common/properties/property-source.js';
import type { ConfigResource, ResourceQuery } from '../config-repository.js';
import { ENDINGS } from './config-file.js';
import type { ConfigTree } from './config-tree.js';
import { layersOf } from './document-layers.js';
import { locationsOf } from './search-locations.js';

/** Where files are looked for, and as whose. */
export interface ConfigSearch {
  /** One name, or several with commas. */
  readonly application: string;
  readonly profiles: readonly string[];
  /** The first one is the strongest. */
  readonly labels: readonly string[];
  readonly paths: readonly string[];
  /** Whether a label is a sub-directory too. */
  readonly labelFolders: boolean;
  /** What goes before a file's name in that of its source: `file:`. */
  readonly prefix: string;
}

/**
 * The layers of an application in a tree, highest first.
 *
 * `{application}-{profile}`, then `application-{profile}`, the last profile first; then `{application}`, then
 * `application`. Of one name a later directory comes before an earlier one, and .properties before .yml, .yaml and .json;
 * in one file a later document wins, and one with `spring.config.activate.on-profile` counts if it holds.
 */
export async function layersIn(
  tree: ConfigTree,
  search: ConfigSearch,
): Promise<readonly PropertySource[]> {
  const { application, profiles, prefix } = search;
  const names = [...new Set(['application', ...application.split(',')])].toReversed();
  const specific = profiles.toReversed().flatMap((profile) => names.map((n) => `${n}-${profile}`));
  const folders = (await foldersIn(tree, search)).toReversed();
  const active = new Set(profiles);
  const found = [...specific, ...names].flatMap((name) =>
    folders.flatMap((folder) =>
      ENDINGS.map(async (ending) => {
        const file = pathIn(folder, `${name}${ending}`);
        return layersOf({ file, name: `${prefix}${file}` }, await tree.documents(file), active);
      }),
    ),
  );
  return (await Promise.all(found)).flat();
}

/** A file for the first profile that has one of its own, `name-{profile}.ext`; else the file itself. */
export async function resourceIn(
  tree: ConfigTree,
  search: ConfigSearch,
  { path }: Pick<ResourceQuery, 'path'>,
): Promise<ConfigResource | undefined> {
  const [, stem = path, ending = ''] = /^(.*[^/])(\.[^./]+)$/.exec(path) ?? [];
  const own = search.profiles.map((each) =>
    each === 'default' ? path : `${stem}-${each}${ending}`,
  );
  for (const folder of (await foldersIn(tree, search)).toReversed()) {
    for (const candidate of new Set([...own, path])) {
      const found = await tree.file(pathIn(folder, candidate));
      if (found) return found;
    }
  }
  return undefined;
}

/** The directories to look into, the weakest first. */
async function foldersIn(tree: ConfigTree, search: ConfigSearch): Promise<readonly string[]> {
  const { application, profiles, labels, paths, labelFolders } = search;
  const terms = { applications: application.split(','), profiles, labels };
  const locations = await Promise.all(
    locationsOf(paths, terms).map((location) => tree.directories(location)),
  );
  const plain = locations.flat();
  if (!labelFolders) return plain;
  const labelled = labels
    .toReversed()
    .flatMap((label) => plain.map((location) => pathIn(location, label)));
  return [...plain, ...labelled];
}

/** The path of a file in a folder; the root is the empty folder. */
function pathIn(folder: string, file: string): string {
  return folder === '' ? file : `${folder}/${file}`;
}
