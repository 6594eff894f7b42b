import type { Principal } from './principal.js';
import { claimOf } from './principal.js';

/** Who may use a route; it stands at the controller and travels to the gateway. All that is written must hold. */
export interface AccessRule {
  /** Scopes that the sender must have, all of them. @default none */
  readonly scopes?: readonly string[];
  /** Roles of which the sender must have one. @default any */
  readonly roles?: readonly string[];
  /**
   * Claims by name or dotted path, each with the values of which it must be, or hold, one; several lists for one claim
   * must each be met. @default none
   */
  readonly claims?: Readonly<Record<string, ClaimValue | readonly ClaimValue[]>>;
}

export type ClaimValue = string | number | boolean;

/** Why a sender may not; undefined when it may. The sentence names what is missing, for logs. */
export function refusalOf(rule: AccessRule, principal: Principal): string | undefined {
  const missing = rule.scopes?.find((scope) => !principal.scopes.includes(scope));
  if (missing !== undefined) return `lacks the scope '${missing}'`;
  const { roles } = rule;
  if (roles && !roles.some((role) => principal.roles.includes(role)))
    return `has none of the roles ${roles.map((role) => `'${role}'`).join(', ')}`;
  for (const [path, wanted] of Object.entries(rule.claims ?? {})) {
    const claim = claimOf(principal.claims, path);
    const held: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
    const values: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    if (!values.some((value) => held.includes(value))) return `has another claim '${path}'`;
  }
  return undefined;
}
