/**
 * Says whether the service got worse since a new configuration was put in use.
 *
 * Readiness and the share of failed answers are looked at already. A provider of the application that extends this class
 * adds what only it knows; the checks are asked several times a second for as long as `rollback.window` says.
 *
 * @example
 * @Injectable()
 * class StockAnswers extends ChangeCheck {
 *   override readonly name = 'stock answers';
 *   override begin() { this.failures = 0; }
 *   override problem() { return this.failures > 5 ? `${this.failures} calls to stock failed` : undefined; }
 * }
 */
export abstract class ChangeCheck {
  /** What it looks at, for messages. */
  abstract readonly name: string;

  /** A new configuration has just been put in use. */
  begin(): void {}

  /** What is worse than before, as a part of a sentence, or `undefined` while all is well. */
  abstract problem(): string | undefined;
}
