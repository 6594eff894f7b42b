import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  SetMetadata,
  UseGuards,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { FeatureDisabledError } from './config-client.errors.js';
import { ConfigLoader } from './config-loader.js';
import { FeatureFlags } from './feature-flags.js';

/** Where `@FeatureFlag` leaves the flag's name. */
const FEATURE_FLAG = 'rookery:feature-flag';

/** Lets requests through while their flag is on. */
@Injectable()
export class FeatureFlagGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly features: FeatureFlags,
    private readonly loader: ConfigLoader,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    // A handler's flag stands beside its controller's: both must be on.
    const flags = targets.flatMap(
      (target) => this.reflector.get<string | undefined>(FEATURE_FLAG, target) ?? [],
    );
    const subject = this.subjectOf(context);
    if (flags.every((flag) => this.features.isEnabled(flag, subject))) return true;
    throw new FeatureDisabledError();
  }

  private subjectOf(context: ExecutionContext): string | undefined {
    if (context.getType() !== 'http') return undefined;
    const request: Subjected = context.switchToHttp().getRequest();
    const { subject } = this.loader;
    const found = subject ? subject(request as never) : (request.user?.id ?? request.user?.sub);
    return found === undefined ? undefined : String(found);
  }
}

interface Subjected {
  readonly user?: { readonly id?: string | number; readonly sub?: string };
}

/**
 * A handler or a controller that is there only while a flag is on, for the subject of the request; else it answers 404.
 *
 * @example
 * @FeatureFlag('checkout')
 * @Post('checkout')
 * checkout() { … }
 */
export function FeatureFlag(flag: string): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(FEATURE_FLAG, flag), UseGuards(FeatureFlagGuard));
}
