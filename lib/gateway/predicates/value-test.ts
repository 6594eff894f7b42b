import type { Args } from '../args.js';

/** Which values are looked for; without any of them, being there is enough. */
export interface ValueArgs {
  /** Exactly this text, or one of these. */
  readonly value?: string | readonly string[];
  /** A regular expression for the whole value. */
  readonly matches?: string | RegExp;
}

/** Reads which values are looked for, as a test of all values that a request has. */
export function readValueTest<A extends ValueArgs>(
  given: Args<A>,
): (values: readonly string[]) => boolean {
  // Of the arguments only these are read here.
  const args = given as unknown as Args<ValueArgs>;
  const texts = args.texts('value');
  if (args.has('matches')) {
    if (texts.length > 0) args.refuse('matches', "stands beside 'value'", 'Keep one.');
    const { source, flags } = args.expression('matches');
    const whole = new RegExp(`^(?:${source})$`, flags.replaceAll(/[gy]/g, ''));
    return (values) => values.some((value) => whole.test(value));
  }
  args.read('matches', () => undefined);
  if (texts.length === 0) return (values) => values.length > 0;
  const wanted = new Set(texts);
  return (values) => values.some((value) => wanted.has(value));
}
