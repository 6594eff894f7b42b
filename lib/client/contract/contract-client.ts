import type { Type } from '../../common/metadata-explorer.js';
import type { RequestContext } from '../../common/request-context.js';
import { isFailure, type ServiceClient } from '../service-client.js';
import type { CalledRoute } from '../client.errors.js';
import type { AnswerValidation } from './answer-validation.js';
import { writeCall } from './contract-call.js';
import type { ContractDescription, ContractRoute } from './contract-description.js';
import type { ContractBatch } from './contract-types.js';

type Method = (...parameters: unknown[]) => Promise<unknown>;

/** What a client of a contract is made of. */
export interface ContractClientParts {
  readonly description: ContractDescription;
  readonly client: ServiceClient;
  readonly context: RequestContext;
  readonly validation: AnswerValidation;
  readonly fallback?: object | undefined;
  readonly batch?: Readonly<Record<string, ContractBatch<object, unknown, unknown>>> | undefined;
}

/** Makes the client of a contract: an instance of its class whose methods call the service. */
export function contractClient<C extends object>(type: Type<C>, parts: ContractClientParts): C {
  const client = Object.create(type.prototype) as Record<string, Method>;
  for (const route of parts.description.routes) {
    const call = withFallback(route, callOf(route, parts), parts.fallback);
    const batch = parts.batch?.[route.name];
    client[route.name] = batch ? batched(call, batch, client, parts) : call;
  }
  return client as C;
}

function callOf(route: ContractRoute, parts: ContractClientParts): Method {
  const { client, context, validation } = parts;
  const { service } = parts.description;
  const { method, path, remote } = route;
  const common = {
    route: path,
    ...(remote.coalesce === undefined ? {} : { coalesce: remote.coalesce }),
  };
  return async (...parameters) => {
    const call = writeCall(route, parameters);
    const answer = await client.request(method, service, call.path, { ...call.options, ...common });
    if (remote.answers === undefined) return answer;
    const called: CalledRoute = {
      service,
      method,
      route: path,
      traceId: context.current?.trace.traceId,
    };
    return validation.validated(answer, remote.answers, called);
  };
}

function withFallback(route: ContractRoute, call: Method, fallback: object | undefined): Method {
  const instead: unknown = fallback && Reflect.get(fallback, route.name);
  if (typeof instead !== 'function') return call;
  return async (...parameters) => {
    try {
      return await call(...parameters);
    } catch (error) {
      if (!isFailure(error)) throw error;
      return (await Reflect.apply(instead, fallback, [error, ...parameters])) as unknown;
    }
  };
}

/** A call with more than its key, such as a time limit of its own, is made by itself. */
function batched(
  call: Method,
  batch: ContractBatch<object, unknown, unknown>,
  client: object,
  { client: services }: ContractClientParts,
): Method {
  const one = services.batch<unknown, unknown>({
    load: (keys) => batch.load(client, keys),
    ...(batch.key && { key: batch.key.bind(batch) }),
    ...(batch.max !== undefined && { max: batch.max }),
  });
  return (...parameters) => (parameters.length === 1 ? one(parameters[0]) : call(...parameters));
}
