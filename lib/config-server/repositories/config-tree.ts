import type { ConfigResource } from '../config-repository.js';
import type { ConfigDocument } from '../../common/properties/flatten.js';

/** Files at a moment: a directory, or a commit. */
export interface ConfigTree {
  /** The documents of a configuration file, by its relative path; `undefined` when there is none. */
  documents(file: string): Promise<readonly ConfigDocument[] | undefined>;
  /** A file as it is. */
  file(path: string): Promise<ConfigResource | undefined>;
  /** The directories that a pattern with `*` in its segments names. */
  directories(pattern: string): Promise<readonly string[]>;
}
