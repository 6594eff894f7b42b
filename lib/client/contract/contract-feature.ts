import type { Provider, Type as NestType } from '@nestjs/common';
import type { Type } from '../../common/metadata-explorer.js';
import { RequestContext } from '../../common/request-context.js';
import { InvalidOptionsError } from '../../common/errors.js';
import { CLIENT_SETTINGS, type ClientSettings } from '../client.options.js';
import { ServiceClient } from '../service-client.js';
import { AnswerValidation } from './answer-validation.js';
import { contractClient } from './contract-client.js';
import { type ContractDescription, describeContract } from './contract-description.js';
import type { ContractFeatureOptions } from './contract-types.js';

/** A contract whose client is wanted, alone or with options. */
export type ContractFeature<C extends object = object> = Type<C> | ContractFeatureOptions<C>;

type Parts = [ServiceClient, RequestContext, ClientSettings, object?];

/** The providers of some contracts' clients, and their tokens. */
export function contractProviders(features: readonly ContractFeature[]): {
  readonly providers: Provider[];
  readonly tokens: NestType[];
} {
  const read = features.map((feature) =>
    typeof feature === 'object' ? feature : { contract: feature },
  );
  const fallbacks = read.flatMap(({ fallback }) => (fallback ? [fallback as NestType] : []));
  const clients = read.map((feature) => clientProvider(feature));
  return {
    providers: [...fallbacks, ...clients],
    tokens: read.map(({ contract }) => contract as NestType),
  };
}

/** Reads the contract only when the application starts, so that a mistake in it is told as every other. */
function clientProvider({ contract, fallback, batch }: ContractFeatureOptions<object>): Provider {
  return {
    provide: contract as NestType,
    inject: [
      ServiceClient,
      RequestContext,
      CLIENT_SETTINGS,
      ...(fallback ? [fallback as NestType] : []),
    ],
    useFactory: (...[client, context, settings, instead]: Parts) => {
      const description = describeContract(contract);
      checkNames(description, 'fallback', instead && methodsOf(instead));
      checkNames(description, 'batch', batch && Object.keys(batch));
      return contractClient(contract, {
        description,
        client,
        context,
        validation: new AnswerValidation(settings.validate),
        fallback: instead,
        batch,
      });
    },
  };
}

/** A batch for a method that the contract does not have would never be asked. */
function checkNames(
  { type, routes }: ContractDescription,
  option: 'fallback' | 'batch',
  names: readonly string[] = [],
): void {
  if (option === 'fallback' && names.some((name) => routes.some((route) => route.name === name)))
    return;
  const wrong = names.find((name) => !routes.some((route) => route.name === name));
  if (wrong === undefined) return;
  throw new InvalidOptionsError(
    `The ${option} of ${type.name} is for "${wrong}", which it does not have. It has ${routes.map(({ name }) => name).join(', ')}.`,
  );
}

function methodsOf(instance: object): string[] {
  const prototype = Object.getPrototypeOf(instance) as object;
  return Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');
}
