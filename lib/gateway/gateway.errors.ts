import { InvalidOptionsError } from '../common/errors.js';

/** A route of the gateway's options that cannot be served; the application does not start. */
export class RouteDefinitionError extends InvalidOptionsError {
  constructor(
    /** The route's id or path. */
    readonly route: string,
    problem: string,
  ) {
    super(`The gateway's route '${route}' ${problem}`);
  }
}
