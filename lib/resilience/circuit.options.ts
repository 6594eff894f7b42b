import { duration, group, integer, number, type Settings } from '../common/option-readers.js';

const FIELDS = {
  failureRate: number(50, { min: 1, max: 100 }),
  slowCallRate: number(100, { min: 1, max: 100 }),
  slowCall: duration('60s'),
  minimumCalls: integer(10, { min: 1 }),
  window: duration('10s', { min: 100 }),
  openFor: duration('500ms', { min: 10 }),
  halfOpenCalls: integer(3, { min: 1 }),
};

/** The checked options of a circuit, defaults filled in, times in ms. */
export type CircuitSettings = Settings<typeof FIELDS>;

/** Reads `CircuitOptions`. */
export const circuitSettings = group(FIELDS);
