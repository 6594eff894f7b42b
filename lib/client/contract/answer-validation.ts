import { Logger } from '@nestjs/common';
import type { StandardSchema } from '../../config-client/config-validation.js';
import { type CalledRoute, InvalidAnswerError } from '../client.errors.js';
import type { AnswerCheck } from '../client.options.js';

/** How many problems of one answer are told. */
const MOST = 5;

/** Holds answers against the schemas of contracts. */
export class AnswerValidation {
  private readonly logger = new Logger('Client');
  private readonly warned = new Set<string>();

  constructor(private readonly check: AnswerCheck) {}

  /** What the schema makes of an answer; the answer as it is where only a warning is wanted. */
  async validated(
    answer: unknown,
    schema: StandardSchema | undefined,
    call: CalledRoute,
  ): Promise<unknown> {
    if (schema === undefined || this.check === 'off') return answer;
    const result = await schema['~standard'].validate(answer);
    if (result.issues === undefined) return result.value;
    const error = new InvalidAnswerError(call, issuesOf(result.issues));
    if (this.check === 'error') throw error;
    const route = `${call.method} ${call.route}`;
    if (!this.warned.has(route)) this.logger.warn(`${error.message} It is not mentioned again.`);
    this.warned.add(route);
    return answer;
  }
}

type Issues = Exclude<
  Awaited<ReturnType<StandardSchema['~standard']['validate']>>['issues'],
  undefined
>;

/** Each problem with the place it is about, and never a value. */
function issuesOf(issues: Issues): readonly string[] {
  return issues.slice(0, MOST).map(({ path = [], message }) => {
    const place = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return place === '' ? message : `${place}: ${message}`;
  });
}
