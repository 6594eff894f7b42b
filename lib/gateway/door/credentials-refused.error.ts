import { RookeryError } from '../../common/errors.js';

/** A service that authenticates for the gateway has refused a request, in words of its own. */
export class CredentialsRefusedError extends RookeryError {
  constructor(
    status: number,
    /** Alternating names and values that go to the client. */
    readonly headers: readonly string[],
  ) {
    super(`The authenticating service answered ${status}`, {
      code: 'ERR_CREDENTIALS_REFUSED',
      status,
    });
  }
}
