import { Injectable, Optional } from '@nestjs/common';
import {
  type ManagementAnswer,
  ManagementEndpoint,
  type ManagementRequest,
} from '../../common/management-endpoint.js';
import {
  type AnswerStatus,
  type HealthAnswer,
  HealthAnswers,
  HTTP_STATUS,
} from '../../health/health-answers.js';

/** Spring's words; that something works with less than all is called RESTRICTED by Spring Boot Admin. */
const WORDS: Readonly<Record<AnswerStatus, string>> = {
  up: 'UP',
  degraded: 'RESTRICTED',
  down: 'DOWN',
  starting: 'OUT_OF_SERVICE',
  draining: 'OUT_OF_SERVICE',
  unknown: 'UNKNOWN',
};

/** How the service is, in the shape of Spring Boot's `/health`, with its groups below it. */
@Injectable()
export class HealthEndpoint extends ManagementEndpoint {
  override readonly id = 'health';

  constructor(@Optional() private readonly answers?: HealthAnswers) {
    super();
  }

  override answer({ path: [group] }: ManagementRequest): ManagementAnswer | undefined {
    const answer = this.answers && find(this.answers, group);
    if (!answer || answer.status === 'unknown') return undefined;
    const components = Object.entries(answer.checks ?? {}).map(([name, { status, details }]) => [
      name,
      { status: WORDS[status], ...(details && { details }) },
    ]);
    return {
      status: HTTP_STATUS[answer.status],
      body: {
        status: WORDS[answer.status],
        components: Object.fromEntries(components),
        ...(group === undefined && { groups: ['liveness', 'readiness', 'startup'] }),
      },
    };
  }
}

function find(answers: HealthAnswers, group: string | undefined): HealthAnswer {
  if (group === undefined) return answers.overall();
  if (group === 'liveness' || group === 'live') return answers.live();
  if (group === 'readiness' || group === 'ready') return answers.ready();
  return group === 'startup' ? answers.startup() : answers.of(group);
}
