import { IDENTITY_HEADER } from '../../security/identity/identity-token.js';
import type { IdentityIssuer } from '../../security/identity/identity-issuer.js';
import type { Principal } from '../../security/principal.js';
import { DoorStep, type Verdict } from './door-step.js';
import { withoutLines } from './header-lines.js';
import type { Visit } from './visit.js';

/** What is done with identities on their way to a service. */
export interface IdentityParts {
  /** The headers that no client may send on, in small letters. */
  readonly removed: ReadonlySet<string>;
  /** Makes the tokens; undefined when services are told nothing. */
  readonly issuer: IdentityIssuer | undefined;
  /** For whom the tokens are: the service, or the origin. */
  readonly audience: string;
}

/** Who sends to a public route. */
const ANONYMOUS: Principal = {
  subject: 'anonymous',
  issuer: 'gateway',
  scopes: [],
  roles: [],
  claims: {},
};

/** Takes away what a client says of itself, and tells the service what the gateway has found out. */
export class IdentityStep extends DoorStep {
  override readonly name = 'identity';

  constructor(private readonly parts: IdentityParts) {
    super();
  }

  override enter(visit: Visit): Verdict | Promise<Verdict> {
    const { removed, issuer, audience } = this.parts;
    visit.lines = withoutLines(visit.lines, removed);
    const token = issuer?.tokenFor(audience, visit.principal ?? ANONYMOUS);
    if (token instanceof Promise) return token.then((made) => tell(visit, made));
    return token === undefined ? undefined : tell(visit, token);
  }
}

function tell(visit: Visit, token: string): undefined {
  visit.lines += `${IDENTITY_HEADER}: ${token}\r\n`;
}
