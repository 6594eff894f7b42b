import { RookeryError } from '../common/errors.js';

/** The configuration did not come in time, and the application was told not to start without it. */
export class ConfigUnreachableError extends RookeryError {
  constructor(service: string, source: string, reason: string, cause?: unknown) {
    super(
      `No configuration of "${service}" from ${source}: ${reason}. Start the config server, or leave failFast out to start with local values.`,
      { code: 'ERR_CONFIG_UNREACHABLE', status: 503, cause },
    );
  }
}

/** The config server answered something that is no configuration. */
export class ConfigAnswerError extends RookeryError {
  constructor(
    url: string,
    problem: string,
    /** The status it answered with, when that is what is wrong. */
    readonly answered?: number,
  ) {
    super(`${url} ${problem}.`, { code: 'ERR_CONFIG_ANSWER', status: 502 });
  }
}

/** The merged configuration breaks the rules that `validate` sets, and there is no earlier one to keep. */
export class InvalidConfigError extends RookeryError {
  constructor(
    /** What is wrong, one sentence for each key. */
    readonly issues: readonly string[],
    from: string,
  ) {
    super(`The configuration from ${from} is not valid: ${issues.join('; ')}.`, {
      code: 'ERR_CONFIG_INVALID',
      status: 500,
    });
  }
}

/** A key that must be there is not. */
export class MissingConfigError extends RookeryError {
  constructor(key: string, asked: string) {
    super(
      `The configuration has no "${key}"; asked were the environment variables, ${asked} and the local defaults. Add the key there, or read it with a default.`,
      { code: 'ERR_CONFIG_MISSING', status: 500 },
    );
  }
}

/** A file, or a document in a store, that cannot be used; the sentence names it and the line. */
export class ConfigFileError extends RookeryError {
  constructor(
    readonly file: string,
    readonly line: number | undefined,
    problem: string,
  ) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${problem}`, {
      code: 'ERR_CONFIG_FILE',
      status: 500,
    });
  }
}

/** No config server is registered under the name that was asked for. */
export class ConfigServerNotFoundError extends RookeryError {
  constructor(service: string) {
    super(
      `No instance of "${service}" is registered. Start the config server, or set CONFIG_URL.`,
      { code: 'ERR_CONFIG_SERVER_NOT_FOUND', status: 503 },
    );
  }
}

/** The file of the last good configuration is there and cannot be used. Its values are in no sentence. */
export class SnapshotError extends RookeryError {
  constructor(path: string, problem: string) {
    super(`The snapshot ${path} ${problem}.`, { code: 'ERR_CONFIG_SNAPSHOT', status: 500 });
  }
}

/** The feature is not there for this request; it answers as if there were nothing. */
export class FeatureDisabledError extends RookeryError {
  constructor() {
    super('Not found', { code: 'ERR_FEATURE_DISABLED', status: 404 });
  }
}
