import { RookeryError } from '../../common/errors.js';
import { CONNECTION_FIELDS } from '../../upstream/connection-fields.js';

const NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
// A control in a header would end it, and begin another (RFC 9110, 5.5).
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A header that a filter may not write. */
export class HeaderError extends RookeryError {
  constructor(header: string, problem: string) {
    super(`The header '${header}' ${problem}`, { code: 'ERR_GATEWAY_HEADER', status: 500 });
  }
}

/** Whether filters may touch a header; false for `Host` and what frames the message. */
export function isFree(name: string): boolean {
  return NAME.test(name) && !CONNECTION_FIELDS.has(name.toLowerCase());
}

/** Whether a text can be a header's value. */
export function isHeaderValue(value: string): boolean {
  return VALUE.test(value);
}

/** The headers of a message, in their order and as they were written; names count in small letters. */
export class HeaderList {
  /** @param raw alternating names and values; changed in place */
  constructor(readonly raw: string[]) {}

  /** The first value of a name. */
  get(name: string): string | undefined {
    const at = this.find(name, 0);
    return at === -1 ? undefined : this.raw[at + 1];
  }

  /** Every value of a name. */
  getAll(name: string): readonly string[] {
    const values: string[] = [];
    for (let at = this.find(name, 0); at !== -1; at = this.find(name, at + 2))
      values.push(this.raw[at + 1] as string);
    return values;
  }

  has(name: string): boolean {
    return this.find(name, 0) !== -1;
  }

  /** Every name and value. */
  *entries(): Generator<readonly [string, string]> {
    for (let at = 0; at + 1 < this.raw.length; at += 2)
      yield [this.raw[at] as string, this.raw[at + 1] as string];
  }

  /** Writes a header in place of all of its name; throws `HeaderError` where it may not. */
  set(name: string, value: string): void {
    check(name, value);
    const at = this.find(name, 0);
    if (at === -1) return void this.raw.push(name, value);
    this.raw[at + 1] = value;
    this.drop(name, at + 2);
  }

  /** Writes a further header; throws `HeaderError` where it may not. */
  add(name: string, value: string): void {
    check(name, value);
    this.raw.push(name, value);
  }

  /** Takes every header of a name away; throws `HeaderError` where it may not. */
  remove(name: string): void {
    check(name, '');
    this.drop(name, 0);
  }

  /** Gives every header of a name another one; throws `HeaderError` where it may not. */
  rename(from: string, to: string): void {
    check(from, '');
    check(to, '');
    for (let at = this.find(from, 0); at !== -1; at = this.find(from, at + 2)) this.raw[at] = to;
  }

  private find(name: string, from: number): number {
    const wanted = name.toLowerCase();
    for (let at = from; at + 1 < this.raw.length; at += 2) {
      const each = this.raw[at] as string;
      if (each.length === wanted.length && each.toLowerCase() === wanted) return at;
    }
    return -1;
  }

  private drop(name: string, from: number): void {
    for (let at = this.find(name, from); at !== -1; at = this.find(name, at))
      this.raw.splice(at, 2);
  }
}

function check(name: string, value: string): void {
  if (!NAME.test(name)) throw new HeaderError(name, 'is no name (RFC 9110, 5.1).');
  if (!isFree(name))
    throw new HeaderError(
      name,
      'is written by the gateway alone. For the host there is exchange.host.',
    );
  if (!VALUE.test(value))
    throw new HeaderError(name, 'has controls or signs beyond latin1 in its value.');
}

/** The lines of a head, as a list. */
export function parseLines(lines: string): string[] {
  const raw: string[] = [];
  let from = 0;
  for (let end = lines.indexOf('\r\n'); end !== -1; end = lines.indexOf('\r\n', from)) {
    const colon = lines.indexOf(':', from);
    raw.push(lines.slice(from, colon), lines.slice(colon + 2, end));
    from = end + 2;
  }
  return raw;
}

/** A list, as the lines of a head. */
export function formatLines(raw: readonly string[]): string {
  let lines = '';
  for (let at = 0; at + 1 < raw.length; at += 2) lines += `${raw[at]}: ${raw[at + 1]}\r\n`;
  return lines;
}
