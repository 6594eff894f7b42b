import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { Operators } from '../common/operators.js';
import type { HealthAnswer } from './health-answers.js';
import { HEALTH_SETTINGS, type HealthSettings } from './health.options.js';

/** Decides whether the one who asks is told more than the status. */
@Injectable()
export class DetailsVisibility {
  constructor(
    private readonly operators: Operators,
    @Inject(HEALTH_SETTINGS) private readonly settings: HealthSettings,
  ) {}

  /** Whether the one who asks may see the single checks: everybody, nobody, or those who run the service. */
  sees(request: IncomingMessage): boolean {
    const { details } = this.settings;
    return details === 'local' ? this.operators.includes(request) : details === 'always';
  }

  /** As much of an answer as the one who asks may see. */
  shown(answer: HealthAnswer, request: IncomingMessage): HealthAnswer {
    return this.sees(request) ? answer : outline(answer);
  }
}

/** What everybody may know. */
export function outline({ service, status, timestamp }: HealthAnswer): HealthAnswer {
  return { service, status, timestamp };
}
