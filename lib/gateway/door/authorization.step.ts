import { type AccessRule, refusalOf } from '../../security/access-rule.js';
import type { Principal } from '../../security/principal.js';
import type { AccessPolicy, AccessRequest } from './access-policy.js';
import { DoorStep, type Verdict } from './door-step.js';
import type { Refusal } from './refusal.js';
import type { Visit } from './visit.js';

/** What authorisation is made of. */
export interface AuthorizationParts {
  /** All must hold: while two versions of a service are live, the rules of both. */
  readonly rules: readonly AccessRule[];
  readonly policies: readonly AccessPolicy[];
  readonly route: AccessRequest['route'];
  /** Is told that a policy threw. */
  readonly onPolicyFailed: (policy: AccessPolicy, error: unknown) => void;
}

/** Whether a sender may use the route: by what its controller says, and then by the gateway's own policies. */
export class AuthorizationStep extends DoorStep {
  override readonly name = 'authorization';

  constructor(private readonly parts: AuthorizationParts) {
    super();
  }

  override enter(visit: Visit): Verdict | Promise<Verdict> {
    const { principal } = visit;
    if (principal === undefined) return forbidden('nobody knows who sent it');
    for (const rule of this.parts.rules) {
      const reason = refusalOf(rule, principal);
      if (reason !== undefined) return forbidden(`'${principal.subject}' ${reason}`, rule);
    }
    return this.parts.policies.length === 0 ? undefined : this.askPolicies(visit, principal);
  }

  private async askPolicies(visit: Visit, principal: Principal): Promise<Verdict> {
    const { method, path, clientAddress: address } = visit;
    const request = { principal, method, path, address, route: this.parts.route };
    for (const policy of this.parts.policies) {
      const name = policy.constructor.name;
      if (!(await this.allows(policy, request))) return forbidden(`${name} does not allow it`);
    }
    return undefined;
  }

  private async allows(policy: AccessPolicy, request: AccessRequest): Promise<boolean> {
    try {
      // Whatever is not true is taken for no.
      return ((await policy.allows(request)) as unknown) === true;
    } catch (error) {
      this.parts.onPolicyFailed(policy, error);
      return false;
    }
  }
}

/** RFC 6750, 3.1. */
function forbidden(reason: string, { scopes = [] }: AccessRule = {}): Refusal {
  const wanted = scopes.length > 0 ? `, scope="${scopes.join(' ')}"` : '';
  const challenge = `Bearer error="insufficient_scope"${wanted}`;
  return { status: 403, headers: ['www-authenticate', challenge], reason };
}
