import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { Availability } from './availability.js';
import { DetailsVisibility, outline } from './details-visibility.js';
import { HealthAggregator } from './health-aggregator.js';
import { type HealthAnswer, HealthAnswers, HTTP_STATUS } from './health-answers.js';

/** An answer but for its time, which stands between the two parts of its body. */
interface Written {
  readonly head: string;
  readonly tail: string;
}

interface Kept {
  readonly revision: number;
  readonly state: string;
  readonly status: number;
  readonly whole: Written;
  readonly outline: Written;
}

/** What is answered to a probe, ready to be sent. */
export interface ProbeAnswer {
  readonly status: number;
  readonly body: string;
}

const TIME = '<time>';

/** Writes the answers to probes once for each change of the service's health, because they come all the time. */
@Injectable()
export class ProbeAnswers {
  private readonly questions: ReadonlyMap<string, () => HealthAnswer>;
  private readonly kept = new Map<string, Kept>();

  constructor(
    answers: HealthAnswers,
    private readonly aggregator: HealthAggregator,
    private readonly availability: Availability,
    private readonly visibility: DetailsVisibility,
    private readonly clock: Clock,
  ) {
    this.questions = new Map([
      ['', () => answers.overall()],
      ['/live', () => answers.live()],
      ['/ready', () => answers.ready()],
      ['/startup', () => answers.startup()],
    ]);
  }

  /** The answer at a path below that of the endpoints; `undefined` where there is no probe. */
  of(path: string, request: IncomingMessage): ProbeAnswer | undefined {
    const ask = this.questions.get(path);
    if (ask === undefined) return undefined;
    const kept = this.current(path, ask);
    const { head, tail } = this.visibility.sees(request) ? kept.whole : kept.outline;
    const time = new Date(this.clock.wallTime()).toISOString();
    return { status: kept.status, body: head + time + tail };
  }

  private current(path: string, ask: () => HealthAnswer): Kept {
    const { state } = this.availability;
    const { revision } = this.aggregator;
    const known = this.kept.get(path);
    if (known !== undefined && known.revision === revision && known.state === state) return known;
    const answer = ask();
    const status = HTTP_STATUS[answer.status];
    const whole = written(answer);
    const made = { revision, state, status, whole, outline: written(outline(answer)) };
    this.kept.set(path, made);
    return made;
  }
}

/** The time stands before everything that a contributor says, so that the first of its marks is its own. */
function written(answer: HealthAnswer): Written {
  const text = JSON.stringify({ ...answer, timestamp: TIME });
  const at = text.indexOf(TIME);
  return { head: text.slice(0, at), tail: text.slice(at + TIME.length) };
}
