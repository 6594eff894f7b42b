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
  constructor(url: string, problem: string) {
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
