import { InvalidConfigRequestError } from './config-server.errors.js';

/** What a client asks for, checked: none of it can lead out of a repository. */
export interface ConfigQuery {
  /** One name, or several with commas. */
  readonly application: string;
  readonly profiles: readonly string[];
  readonly label?: string;
}

/** A name or a label's segment: no path, no hidden file, nothing encoded. */
const NAME = /^[A-Za-z0-9_-](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?$/;

/** A list that is longer is a mistake or an attack. */
const MOST_NAMES = 16;

/** Reads the segments of a path, still encoded as they came; throws `InvalidConfigRequestError`. */
export function readConfigQuery(segments: readonly string[]): ConfigQuery {
  const [application = '', profiles = '', label] = segments;
  return {
    application: names(application, 'application').join(','),
    profiles: names(profiles, 'profile'),
    ...(label === undefined ? {} : { label: labels(label) }),
  };
}

/** Reads the path of a file; throws `InvalidConfigRequestError` unless every segment is a name. */
export function readResourcePath(segments: readonly string[]): string {
  const each = segments.map((segment) => decoded(segment, 'path'));
  if (each.length > MOST_NAMES || !each.every(isName)) throw new InvalidConfigRequestError('path');
  return each.join('/');
}

/** One key for everything that is asked alike. */
export function keyOf({ application, profiles, label }: ConfigQuery): string {
  return JSON.stringify([application, profiles, label ?? null]);
}

function names(segment: string, what: string): readonly string[] {
  const each = decoded(segment, what).split(',');
  if (each.length > MOST_NAMES || !each.every(isName)) throw new InvalidConfigRequestError(what);
  return each;
}

/** A slash travels as `(_)`; `feature(_)x` is `feature/x`. */
function labels(segment: string): string {
  const each = decoded(segment, 'label').split(',');
  const clean = each.every((label) => label.split('(_)').every(isName));
  if (each.length > MOST_NAMES || !clean) throw new InvalidConfigRequestError('label');
  return each.map((label) => label.replaceAll('(_)', '/')).join(',');
}

/** Whether a text is a name that can lead nowhere else. */
export function isName(name: string): boolean {
  return NAME.test(name) && !name.includes('..');
}

/** Decoded once: what is still encoded then is no name. */
function decoded(segment: string, what: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new InvalidConfigRequestError(what);
  }
}
