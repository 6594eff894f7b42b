import type { Principal } from '../../security/principal.js';

/** What a policy is asked about. */
export interface AccessRequest {
  readonly principal: Principal;
  readonly method: string;
  /** The canonical public path. */
  readonly path: string;
  readonly address: string;
  readonly route: { readonly id: string; readonly path: string; readonly to: string };
}

/**
 * Decides who may use a route, where scopes, roles and claims do not say it all; the place for an engine of your own.
 * It is asked after those, of every request that is not public.
 *
 * @example
 * @Injectable()
 * class OfficeHours extends AccessPolicy {
 *   allows({ principal }: AccessRequest) { return !principal.roles.includes('clerk') || new Date().getHours() < 18; }
 * }
 */
export abstract class AccessPolicy {
  /** Whether it may; anything but `true` is no, and so is what it throws, which is logged. */
  abstract allows(request: AccessRequest): boolean | Promise<boolean>;
}
