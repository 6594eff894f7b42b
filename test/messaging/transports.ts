import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod, MessagePattern } from '@nestjs/microservices';
import { RequestContext } from '../../lib/common/request-context.js';

/** Under this token an application says which one it is. */
export const SELF = Symbol('SELF');

/** What a handler knows of the request that it is part of. */
export interface Known {
  readonly correlationId: string;
  readonly traceId: string;
  readonly left: number;
  readonly servedBy: string;
}

/** Tells what it knows, over whichever transport. */
@Controller()
export class ScopeController {
  handled = 0;

  constructor(
    private readonly context: RequestContext,
    @Inject(SELF) private readonly self: string,
  ) {}

  @GrpcMethod('Stock', 'Scope')
  overGrpc(): Promise<Known> {
    return this.scope();
  }

  @MessagePattern('scope')
  async scope(): Promise<Known> {
    this.handled += 1;
    await Promise.resolve();
    const { current, timeLeft } = this.context;
    return {
      correlationId: current?.correlationId ?? '',
      traceId: current?.trace.traceId ?? '',
      left: timeLeft ?? -1,
      servedBy: this.self,
    };
  }
}
