import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { CommonModule } from '../common/common.module.js';
import { InvalidOptionsError } from '../common/errors.js';
import { roomModule } from '../common/module-builder.js';
import { ServiceIdentity } from '../common/service-identity.js';
import { IdentityVerifier } from './identity/identity-verifier.js';
import {
  readSecurityOptions,
  SECURITY_SETTINGS,
  type SecurityOptions,
  type SecuritySettings,
} from './security.options.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = roomModule<SecurityOptions>('Security');

/**
 * Lets a service know its callers: what came through the gateway, and what other services send with tokens of their own.
 *
 * It refuses nothing by itself; `GatewayIdentityGuard` does, where it is placed.
 *
 * @throws InvalidOptionsError at start, when an option cannot be used or jose is not installed
 * @example
 * @Module({ imports: [SecurityModule.forRoot({ identity: { publicKey } })] })
 * class AppModule {}
 */
@Module({
  imports: [CommonModule],
  providers: [
    {
      provide: SECURITY_SETTINGS,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: SecurityOptions) => readSecurityOptions(options, 'security'),
    },
    {
      provide: IdentityVerifier,
      inject: [SECURITY_SETTINGS, Clock, ServiceIdentity],
      useFactory: ({ identity }: SecuritySettings, clock: Clock, self: ServiceIdentity) => {
        if (identity === undefined) {
          throw new InvalidOptionsError(
            "security.identity is missing. Give the gateway's public key: identity: { publicKey }.",
          );
        }
        // Other modules may yet say our name.
        return new IdentityVerifier({ settings: identity, clock, service: () => self.name });
      },
    },
  ],
  exports: [IdentityVerifier, SECURITY_SETTINGS],
})
export class SecurityModule extends ConfigurableModuleClass implements OnModuleInit {
  constructor(
    private readonly verifier: IdentityVerifier,
    @Inject(SECURITY_SETTINGS) private readonly settings: SecuritySettings,
  ) {
    super();
  }

  async onModuleInit(): Promise<void> {
    await this.verifier.ready();
    for (const authenticator of this.settings.authenticators) await authenticator.ready();
  }
}
