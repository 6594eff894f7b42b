import { RookeryError } from '../common/errors.js';

/** A name, a profile or a label that could lead somewhere else. Nothing was looked up. */
export class InvalidConfigRequestError extends RookeryError {
  constructor(what: string) {
    super(
      `The ${what} of this request cannot be looked up. Use letters, digits, "-", "_" and inner points; write a slash in a label as "(_)".`,
      { code: 'ERR_CONFIG_REQUEST', status: 400 },
    );
  }
}

/** The request does not carry the server's token. */
export class ConfigTokenError extends RookeryError {
  constructor() {
    super(
      'This config server asks for its token: send "Authorization: Bearer <token>", or put it as the password into CONFIG_URL.',
      { code: 'ERR_CONFIG_TOKEN', status: 401 },
    );
  }
}

/** The repository could not be read, and there is no earlier answer to give. */
export class RepositoryError extends RookeryError {
  constructor(problem: string, cause?: unknown) {
    super(problem, { code: 'ERR_CONFIG_REPOSITORY', status: 503, cause });
  }
}

/** A label that the repository does not have. */
export class NoSuchLabelError extends RookeryError {
  constructor(label: string) {
    super(`The repository has no branch, tag or commit "${label}".`, {
      code: 'ERR_CONFIG_LABEL',
      status: 404,
    });
  }
}

/** There is nothing of that name. */
export class ConfigNotFoundError extends RookeryError {
  constructor(what: string) {
    super(what, { code: 'ERR_CONFIG_NOT_FOUND', status: 404 });
  }
}

/** The token is good, but not for this. */
export class ConfigAccessError extends RookeryError {
  constructor() {
    super('This token may not do that. It reads the configuration of its own application alone.', {
      code: 'ERR_CONFIG_ACCESS',
      status: 403,
    });
  }
}

/** A body that cannot be used. */
export class ConfigBodyError extends RookeryError {
  constructor(problem: string, status = 400) {
    super(problem, { code: 'ERR_CONFIG_BODY', status });
  }
}

/** A file that cannot be used; the sentence names it and the line. */
export class ConfigFileError extends RepositoryError {
  constructor(
    readonly file: string,
    readonly line: number | undefined,
    problem: string,
  ) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${problem}`);
  }
}

/** The server is going down; the client asks another one, or this one again. */
export class ConfigServerStoppingError extends RookeryError {
  constructor() {
    super('This config server is stopping.', { code: 'ERR_CONFIG_STOPPING', status: 503 });
  }
}
