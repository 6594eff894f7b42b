/** What the checks of each service looked like: how many there are, and the sum of their indexes. Those of nodes are under ''. */
export type Fingerprints = ReadonlyMap<string, string>;

/** Which index tells of a change: CreateIndex of a check that came or went, ModifyIndex of any. */
export type CheckIndex = 'CreateIndex' | 'ModifyIndex';

const NAME = Buffer.from('"ServiceName":');
const INDEXES = {
  CreateIndex: Buffer.from('"CreateIndex":'),
  ModifyIndex: Buffer.from('"ModifyIndex":'),
} as const;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

/** The bytes that are looked at together at first: a piece and what is left of the one before. */
const WORK = 131_072;

/**
 * Reads the name and the index of every check out of a long answer, byte by byte: as strings or objects its megabytes would
 * keep the garbage collector busy. In a string of JSON the quotes of the keys would be escaped, so there they are not found.
 */
export class CheckScan {
  /** What of the answer is being looked at; used again and again, because new buffers make garbage too. */
  private bytes: Buffer = Buffer.allocUnsafe(WORK);
  /** How much at its beginning is left of the pieces before, because it was not whole. */
  private kept = 0;
  private readonly counts = new Map<string, { count: number; sum: number }>();
  private readonly index: Buffer;

  constructor(index: CheckIndex) {
    this.index = INDEXES[index];
  }

  read(chunk: Buffer): void {
    const length = this.kept + chunk.length;
    if (length > this.bytes.length) {
      const larger = Buffer.allocUnsafe(length * 2);
      this.bytes.copy(larger, 0, 0, this.kept);
      this.bytes = larger;
    }
    chunk.copy(this.bytes, this.kept);
    const whole = this.bytes.subarray(0, length);
    let done = 0;
    for (let end = this.readCheck(whole, 0); end > 0; end = this.readCheck(whole, end)) done = end;
    this.bytes.copyWithin(0, done, length);
    this.kept = length - done;
  }

  found(): Fingerprints {
    return new Map([...this.counts].map(([name, { count, sum }]) => [name, `${count}/${sum}`]));
  }

  /** Reads the next check; where it ends, or 0 if it is not whole. */
  private readCheck(bytes: Buffer, from: number): number {
    const name = bytes.indexOf(NAME, from);
    if (name === -1) return 0;
    const nameStart = skipSpace(bytes, name + NAME.length) + 1;
    const nameEnd = bytes.indexOf(QUOTE, nameStart);
    if (nameEnd === -1) return 0;
    const index = bytes.indexOf(this.index, nameEnd);
    if (index === -1) return 0;
    const start = skipSpace(bytes, index + this.index.length);
    let end = start;
    let number = 0;
    for (; end < bytes.length && isDigit(bytes[end]!); end++)
      number = number * 10 + bytes[end]! - 0x30;
    if (end === bytes.length) return 0;
    if (bytes[nameEnd - 1] !== BACKSLASH && end > start)
      this.note(bytes.toString('latin1', nameStart, nameEnd), number);
    return end;
  }

  private note(name: string, index: number): void {
    const known = this.counts.get(name);
    if (known) {
      known.count += 1;
      known.sum += index;
    } else this.counts.set(name, { count: 1, sum: index });
  }
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at]! <= SPACE) at += 1;
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
