import { SetMetadata } from '@nestjs/common';

/** The metadata of controllers and handlers that may be called by others than the gateway. */
export const ALLOW_DIRECT = 'rookery:allow-direct';

/**
 * Lets a controller or handler be called by anyone, and not by the gateway only, where `GatewayIdentityGuard` stands.
 *
 * @example
 * @AllowDirect()
 * @Get('version')
 * version() { return { version: '1.2.0' }; }
 */
export function AllowDirect(): ClassDecorator & MethodDecorator {
  return SetMetadata(ALLOW_DIRECT, true);
}
