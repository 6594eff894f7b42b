import type { INestApplication } from '@nestjs/common';
import { SystemClock } from '../common/clock.js';
import { messageOf, RookeryError } from '../common/errors.js';
import type { Type } from '../common/metadata-explorer.js';
import { toRequest } from '../client/client-request.js';
import { writeCall } from '../client/contract/contract-call.js';
import { type ContractRoute, describeContract } from '../client/contract/contract-description.js';

/** Parameters for each method that is to be called. */
export type ContractExamples<C> = {
  [K in keyof C]?: C[K] extends (...parameters: infer P) => unknown ? P : never;
};

/** What was found. */
export interface ContractReport {
  /** The methods that were called, and answered as the contract says. */
  readonly called: readonly string[];
  /** The methods of which no example was given. */
  readonly skipped: readonly string[];
}

/** A service does not keep its contract. */
export class ContractViolationError extends RookeryError {
  constructor(
    contract: string,
    /** One sentence for each method that failed. */
    readonly violations: readonly string[],
  ) {
    super(`${contract} is not kept:\n- ${violations.join('\n- ')}`, {
      code: 'ERR_CONTRACT_VIOLATION',
      status: 500,
    });
  }
}

/** How long each call may take, in ms. */
const LIMIT = 10_000;

/**
 * Calls a running service as a client of its contract does, and holds every answer against it: a status of success, JSON,
 * and what its schema says. For a test of the service, or of one that somebody else runs.
 *
 * @param service where it listens, such as `http://127.0.0.1:3001`, or an application that listens
 * @param examples the parameters of each method that is to be called; those without are skipped
 * @throws ContractViolationError that names every method which failed
 * @example
 * const report = await verifyContract(InventoryContract, app, { find: ['apple'] });
 * expect(report.skipped).toEqual([]);
 */
export async function verifyContract<C extends object>(
  contract: Type<C>,
  service: string | INestApplication,
  examples: ContractExamples<C>,
): Promise<ContractReport> {
  const base = typeof service === 'string' ? service : await service.getUrl();
  const { routes } = describeContract(contract);
  const given = examples as Readonly<Record<string, readonly unknown[] | undefined>>;
  const called = routes.filter(({ name }) => given[name] !== undefined);
  const violations: string[] = [];
  for (const route of called) {
    const problem = await problemOf(
      base.replace('[::1]', 'localhost'),
      route,
      given[route.name] ?? [],
    );
    if (problem !== undefined) {
      violations.push(`${route.name} (${route.method} ${route.path}) ${problem}`);
    }
  }
  if (violations.length > 0) throw new ContractViolationError(contract.name, violations);
  const names = called.map(({ name }) => name);
  return {
    called: names,
    skipped: routes.map(({ name }) => name).filter((name) => !names.includes(name)),
  };
}

async function problemOf(
  base: string,
  route: ContractRoute,
  parameters: readonly unknown[],
): Promise<string | undefined> {
  const { signal, cancel } = new SystemClock().deadline(LIMIT);
  try {
    const call = writeCall(route, parameters);
    const request = toRequest(route.method, call.path, call.options, {});
    const answer = await fetch(base + request.path, {
      method: route.method,
      headers: request.headers as Record<string, string>,
      body: (request.body as string | undefined) ?? null,
      signal,
    });
    const text = await answer.text();
    if (!answer.ok) return `was answered ${answer.status}: ${text.slice(0, 200)}`;
    return await problemIn(route, text);
  } catch (error) {
    return `could not be called: ${messageOf(error)}`;
  } finally {
    cancel();
  }
}

async function problemIn({ remote }: ContractRoute, text: string): Promise<string | undefined> {
  if (remote.answers === undefined) return undefined;
  const answer: unknown = text === '' ? undefined : JSON.parse(text);
  const { issues = [] } = await remote.answers['~standard'].validate(answer);
  if (issues.length === 0) return undefined;
  return `was answered with something else than it says: ${issues.map(({ message }) => message).join('; ')}`;
}
