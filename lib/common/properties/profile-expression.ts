import { FormatError } from './flatten.js';

/**
 * Whether an on-profile expression holds: `prod`, `!prod`, `prod & eu`, `prod | (test & !eu)`; commas mean "any of".
 *
 * `&` and `|` are not mixed without brackets, as in Spring.
 */
export function profilesMatch(expression: string, active: ReadonlySet<string>): boolean {
  return expression.split(',').some((each) => new Expression(each, active).read());
}

class Expression {
  private readonly tokens: readonly string[];
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly active: ReadonlySet<string>,
  ) {
    this.tokens = text.match(/[()&|!]|[^()&|!\s]+/g) ?? [];
  }

  read(): boolean {
    const holds = this.group();
    if (this.at < this.tokens.length) this.fail();
    return holds;
  }

  private group(): boolean {
    let holds = this.term();
    const operator = this.tokens[this.at];
    if (operator !== '&' && operator !== '|') return holds;
    while (this.tokens[this.at] === operator) {
      this.at++;
      const next = this.term();
      holds = operator === '&' ? holds && next : holds || next;
    }
    return holds;
  }

  private term(): boolean {
    const token = this.tokens[this.at++];
    if (token === '!') return !this.term();
    if (token === '(') {
      const holds = this.group();
      if (this.tokens[this.at++] !== ')') this.fail();
      return holds;
    }
    if (token === undefined || /^[()&|]$/.test(token)) this.fail();
    return this.active.has(token);
  }

  private fail(): never {
    throw new FormatError(
      `"${this.text.trim()}" is no profile expression. Write it like "prod & !eu"; brackets go around a mix of & and |.`,
    );
  }
}
