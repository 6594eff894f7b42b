import { RookeryError } from '../../common/errors.js';

/** A public path that no gateway could match. */
export class PathSyntaxError extends RookeryError {
  constructor(
    /** The path as it was written. */
    readonly path: string,
    problem: string,
  ) {
    super(`The path '${path}' ${problem}`, { code: 'ERR_PATH_SYNTAX', status: 500 });
  }
}

/** A route manifest that cannot be trusted: cut off, too large, or not what its digest says. */
export class ManifestError extends RookeryError {
  constructor(service: string, problem: string, cause?: unknown) {
    super(`The route manifest of "${service}" ${problem}.`, {
      code: 'ERR_MANIFEST',
      status: 502,
      cause,
    });
  }
}
