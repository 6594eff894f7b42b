import type { IncomingMessage } from 'node:http';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ALLOW_DIRECT } from '../../common/allow-direct.decorator.js';
import type { Principal } from '../principal.js';
import { requestCredentials } from '../request-credentials.js';
import { SECURITY_SETTINGS, type SecuritySettings } from '../security.options.js';
import { UnknownCallerError } from '../security.errors.js';
import { IDENTITY_HEADER } from './identity-token.js';
import { IdentityVerifier } from './identity-verifier.js';
import { PRINCIPAL } from './principal.decorator.js';

/** Express gives Node's own request, Fastify its wrapper around it. */
type AnyRequest = (IncomingMessage | { readonly raw: IncomingMessage }) & {
  [PRINCIPAL]?: Principal;
};

/**
 * Refuses with 401 what did not come through the gateway, or was meant for another service; behind it `@CurrentPrincipal()`
 * gives the sender.
 *
 * It needs `SecurityModule`. Services that call each other show a token of their own to the module's authenticators.
 * It concerns HTTP only: messages of Nest's transports pass. Health endpoints, and what is marked `@AllowDirect()`,
 * stay open.
 *
 * @example
 * @Module({
 *   imports: [SecurityModule.forRoot({ identity: { publicKey } })],
 *   providers: [{ provide: APP_GUARD, useClass: GatewayIdentityGuard }],
 * })
 * class AppModule {}
 */
@Injectable()
export class GatewayIdentityGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly verifier: IdentityVerifier,
    @Inject(SECURITY_SETTINGS) private readonly settings: SecuritySettings,
  ) {}

  /** @throws UnknownCallerError, InvalidCredentialsError, AuthenticationUnavailableError */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const open = this.reflector.getAllAndOverride<boolean | undefined>(ALLOW_DIRECT, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (open) return true;
    const request = context.switchToHttp().getRequest<AnyRequest>();
    request[PRINCIPAL] = await this.senderOf('raw' in request ? request.raw : request);
    return true;
  }

  private async senderOf(request: IncomingMessage): Promise<Principal> {
    const token = request.headers[IDENTITY_HEADER];
    if (typeof token === 'string') return this.verifier.verify(token);
    const credentials = requestCredentials(request);
    for (const authenticator of this.settings.authenticators) {
      const principal = await authenticator.authenticate(credentials);
      if (principal) return principal;
    }
    throw new UnknownCallerError('The request did not come through the gateway.');
  }
}
