import type { ContextType, ExecutionContext, Type } from '@nestjs/common';
import { RookeryError } from '../../common/errors.js';
import type { GatewayExchange } from './gateway-exchange.js';

type HttpHost = ReturnType<ExecutionContext['switchToHttp']>;

/** What a guard on a route asks `getClass()` for: no controller answers, the gateway does. */
class GatewayRoutesContext {}

/** What Nest's guards are given on a route: the raw request and response, as Node has them. */
export class RouteExecutionContext implements ExecutionContext {
  constructor(
    /** The request as filters see it. */
    readonly exchange: GatewayExchange,
  ) {}

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Nest's own signature
  getType<T extends string = ContextType>(): T {
    return 'http' as T;
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Nest's own signature
  getClass<T>(): Type<T> {
    return GatewayRoutesContext as Type<T>;
  }

  /** A function without metadata that has the route's id for a name. */
  getHandler(): () => void {
    return Object.defineProperty(() => {}, 'name', { value: this.exchange.route.id });
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Nest's own signature
  getArgs<T extends unknown[]>(): T {
    return [this.exchange.raw, this.exchange.carrier.response] as unknown as T;
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Nest's own signature
  getArgByIndex<T>(index: number): T {
    return this.getArgs()[index] as T;
  }

  switchToHttp(): HttpHost {
    const [request, response] = this.getArgs();
    const host = {
      getRequest: () => request,
      getResponse: () => response,
      getNext: () => () => {},
    };
    return host as HttpHost;
  }

  switchToRpc(): never {
    throw new NotHttpError();
  }

  switchToWs(): never {
    throw new NotHttpError();
  }
}

class NotHttpError extends RookeryError {
  constructor() {
    super("A route's guard sees an HTTP request. Ask switchToHttp().", {
      code: 'ERR_GATEWAY_CONTEXT',
      status: 500,
    });
  }
}
