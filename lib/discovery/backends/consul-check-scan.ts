import { notFromConsul } from './consul-http.js';

const FIELDS = {
  Node: field('Node'),
  CheckID: field('CheckID'),
  Status: field('Status'),
  Notes: field('Notes'),
  Output: field('Output'),
  ServiceID: field('ServiceID'),
  ServiceName: field('ServiceName'),
  CreateIndex: field('CreateIndex'),
  ModifyIndex: field('ModifyIndex'),
} as const;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const END_OF_CHECK = 0x7d;

const NOTHING = Buffer.alloc(0);

/** The bytes that are looked at together at first: a piece and what is left of the one before. */
const WORK = 131_072;

/** The longest check that is read, in bytes; Consul cuts what a probe has put out to 4 KiB by default. */
const LONGEST = 4 * 1_048_576;

/**
 * One check as its bytes; a view that holds only until the next is read.
 *
 * Consul writes the texts first, then what a probe sends, whose headers may have any name, and the indexes at the end.
 */
export class CheckBytes {
  private whole: Buffer = NOTHING;
  private start = 0;
  private end = 0;
  private view: Buffer | undefined;

  moveTo(whole: Buffer, start: number, end: number): void {
    this.whole = whole;
    this.start = start;
    this.end = end;
    this.view = undefined;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Whether these are the bytes there, from the start on. */
  isAt(other: Buffer, start: number): boolean {
    return this.whole.compare(other, start, start + this.length, this.start, this.end) === 0;
  }

  /** Byte by byte, because `Buffer.copy` makes a view for each part of a buffer, and these are thousands. */
  copyTo(other: Buffer, at: number): void {
    const { whole, start, length } = this;
    for (let n = 0; n < length; n++) other[at + n] = whole[start + n]!;
  }

  /** A text, or '' where there is none. */
  text(name: keyof typeof FIELDS): string {
    const { bytes } = this;
    const key = FIELDS[name];
    const start = this.value(bytes.indexOf(key), key);
    if (bytes[start] !== QUOTE) return '';
    let end = start + 1;
    let escaped = false;
    for (; bytes[end] !== QUOTE; end++) {
      if (bytes[end] === BACKSLASH) {
        escaped = true;
        end += 1;
      }
      if (end >= bytes.length) return '';
    }
    return escaped
      ? readEscaped(bytes.toString('utf8', start, end + 1))
      : bytes.toString('utf8', start + 1, end);
  }

  /** A whole number, or 0 where there is none. */
  number(name: keyof typeof FIELDS): number {
    const { bytes } = this;
    const key = FIELDS[name];
    let number = 0;
    let at = this.value(bytes.lastIndexOf(key), key);
    for (; isDigit(bytes[at]); at++) number = number * 10 + bytes[at]! - 0x30;
    return number;
  }

  private get bytes(): Buffer {
    return (this.view ??= this.whole.subarray(this.start, this.end));
  }

  private value(at: number, key: Buffer): number {
    return at === -1 ? this.bytes.length : skipSpace(this.bytes, at + key.length);
  }
}

/**
 * Cuts a long answer into its checks, byte by byte: as strings or objects its megabytes would keep the garbage collector busy.
 *
 * A key is found by its quotes and its colon; in a string of JSON the quotes would be escaped, so there none is found. Consul
 * writes the index of its last change at the end.
 */
export class CheckScan {
  /** What of the answer is being looked at; used again and again, because new buffers make garbage too. */
  private bytes: Buffer = Buffer.allocUnsafe(WORK);
  /** How much at its beginning is left of the pieces before, because it was not whole. */
  private kept = 0;
  private first: number | undefined;
  private readonly check = new CheckBytes();

  constructor(private readonly onCheck: (check: CheckBytes) => void) {}

  /** @throws BackendUnavailableError when a check is too long, or has a text that is none */
  read(chunk: Buffer): void {
    this.first ??= chunk.find((byte) => byte > SPACE);
    const length = this.kept + chunk.length;
    if (length > this.bytes.length) {
      const larger = Buffer.allocUnsafe(length * 2);
      this.bytes.copy(larger, 0, 0, this.kept);
      this.bytes = larger;
    }
    chunk.copy(this.bytes, this.kept);
    const whole = this.bytes.subarray(0, length);
    let done = 0;
    for (let end = endOfCheck(whole, 0); end > 0; end = endOfCheck(whole, done)) {
      this.check.moveTo(whole, done, end);
      this.onCheck(this.check);
      done = end;
    }
    this.bytes.copyWithin(0, done, length);
    this.kept = length - done;
    if (this.kept > LONGEST) throw notFromConsul(`has a check of more than ${LONGEST} bytes`);
  }

  /**
   * Says that the answer is over.
   *
   * @throws BackendUnavailableError when it was no list, or none that ended
   */
  end(): void {
    const rest = this.bytes.subarray(0, this.kept).filter((byte) => byte > SPACE);
    const isEmpty = rest.length === 2 && rest[0] === OPEN;
    // A list that was cut may end with a list that was in a check.
    const isWhole = isEmpty || rest.at(-2) === END_OF_CHECK;
    if (this.first !== OPEN || rest.at(-1) !== CLOSE || !isWhole)
      throw notFromConsul('is no list of checks');
  }
}

/** Where the next check ends, or 0 if it is not whole. */
function endOfCheck(bytes: Buffer, from: number): number {
  let index = bytes.indexOf(FIELDS.ServiceName, from);
  while (index !== -1) {
    index = bytes.indexOf(FIELDS.ModifyIndex, index + 1);
    if (index === -1) break;
    const start = skipSpace(bytes, index + FIELDS.ModifyIndex.length);
    let end = start;
    while (isDigit(bytes[end])) end += 1;
    // The headers that a probe sends may have that name too, with lists as their values.
    if (end > start) return end < bytes.length ? end : 0;
  }
  return 0;
}

function readEscaped(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw notFromConsul('has a text that is no JSON');
  }
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at]! <= SPACE) at += 1;
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function field(name: string): Buffer {
  return Buffer.from(`"${name}":`);
}
