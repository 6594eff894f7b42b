import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Principal } from '../principal.js';

/** Under this key a request has its sender, once a guard has let it in. */
export const PRINCIPAL = 'principal';

/**
 * The sender of a request that `GatewayIdentityGuard` has let in; undefined where it does not stand.
 *
 * @example
 * @Get('mine')
 * mine(@CurrentPrincipal() principal: Principal) { return this.orders.of(principal.subject); }
 */
export const CurrentPrincipal = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Principal | undefined =>
    context.switchToHttp().getRequest<{ [PRINCIPAL]?: Principal }>()[PRINCIPAL],
);
