import type { Duration } from '../../common/duration.js';
import type { Args } from '../args.js';
import { defineFilter } from './gateway-filter.js';

/** What goes wrong, and how often. */
export interface InjectFaultArgs {
  /** How long requests wait. @default 0 */
  readonly delay?: Duration;
  /** How many of 100 requests wait. @default 100 */
  readonly delayed?: number;
  /** The status that requests are answered in place of the upstream. @default none are */
  readonly status?: number;
  /** How many of 100 requests are answered so. @default 100 */
  readonly aborted?: number;
}

/** Delays or fails some requests, to see how callers take it; refused where NODE_ENV is `production`. */
export const injectFault = defineFilter({
  name: 'InjectFault',
  read: (args: Args<InjectFaultArgs>) => {
    if (process.env['NODE_ENV'] === 'production')
      args.refuse('delay', 'is a fault for development', 'Take InjectFault away in production.');
    return {
      delay: args.duration('delay', 0),
      delayed: args.number('delayed', { default: 100, min: 0, max: 100 }) / 100,
      status: args.integer('status', { default: 0, min: 0, max: 599 }),
      aborted: args.number('aborted', { default: 100, min: 0, max: 100 }) / 100,
    };
  },
  create: ({ delay, delayed, status, aborted }, { clock, random }) => {
    const waits = () => delay > 0 && random() < delayed;
    const fails = () => status > 0 && random() < aborted;
    return (exchange, next) => {
      const failing = fails();
      const goOn = () => (failing ? exchange.answer({ status }) : next(exchange));
      return waits() ? clock.sleep(delay).then(goOn) : goOn();
    };
  },
});
