import { Injectable } from '@nestjs/common';
import { RequestListener } from '../../common/request-listener.js';
import { ChangeCheck } from '../change-check.js';
import { ConfigLoader } from '../config-loader.js';

interface Counted {
  answers: number;
  failed: number;
}

/** Whether more answers fail than before, counted at the HTTP server; only while `rollback` is on. */
@Injectable()
export class ErrorRateCheck extends ChangeCheck {
  override readonly name = 'error rate';
  private before: Counted = { answers: 0, failed: 0 };
  private now: Counted = { answers: 0, failed: 0 };

  constructor(
    private readonly loader: ConfigLoader,
    listener: RequestListener,
  ) {
    super();
    if (!loader.rollback) return;
    listener.observe((_request, response) => {
      // A request that began under the old configuration says nothing of the new one.
      const count = this.now;
      response.once('close', () => {
        count.answers++;
        if (response.statusCode >= 500) count.failed++;
      });
    });
  }

  override begin(): void {
    if (this.now.answers > 0) this.before = this.now;
    this.now = { answers: 0, failed: 0 };
  }

  override problem(): string | undefined {
    const { errorRate = 1, requests = Infinity } = this.loader.rollback ?? {};
    if (this.now.answers < requests) return undefined;
    const [before, now] = [rateOf(this.before), rateOf(this.now)];
    if (now - before <= errorRate) return undefined;
    return `${percent(now)} of ${this.now.answers} answers failed after it, ${percent(before)} before`;
  }
}

function rateOf({ answers, failed }: Counted): number {
  return answers === 0 ? 0 : failed / answers;
}

function percent(rate: number): string {
  return `${Math.round(rate * 100)} %`;
}
