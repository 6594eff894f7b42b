import { Inject } from '@nestjs/common';

/** The token of a service's client, for `useFactory` and tests. */
export function getClientToken(service: string): string {
  return `RookeryClient(${service})`;
}

/**
 * Injects the client of a service that `MessagingModule.forFeature` names.
 *
 * @example
 * constructor(@InjectClient('payments') private readonly payments: ClientProxy) {}
 */
export function InjectClient(service: string): ParameterDecorator & PropertyDecorator {
  return Inject(getClientToken(service));
}
