import { StringDecoder } from 'node:string_decoder';

/** What separates the length of a message from the message. */
const DELIMITER = '#';

/** How many digits a length may have. */
const MAX_DIGITS = 9;

/** Writes something as Nest's TCP transport does: the length of its JSON in UTF-16 units, `#`, the JSON. */
export function frame(message: unknown): string {
  const json = JSON.stringify(message);
  return `${json.length}${DELIMITER}${json}`;
}

/** Takes the messages of Nest's TCP transport out of the bytes of a connection. */
export class MessageFrames {
  private readonly decoder = new StringDecoder('utf8');
  private text = '';
  /** Of the message that has begun to come; -1 while even that is not known. */
  private length = -1;

  constructor(
    /** The longest message that is taken, in UTF-16 units. */
    private readonly maxLength: number,
    private readonly onMessage: (message: unknown) => void,
  ) {}

  /** Whether a message has begun and not ended. */
  get isPartial(): boolean {
    return this.length >= 0 || this.text !== '';
  }

  /** Takes what has come; throws an `Error` that says what is wrong when it is no message of Nest. */
  take(bytes: Buffer): void {
    const text = this.text + this.decoder.write(bytes);
    let at = 0;
    for (;;) {
      if (this.length < 0) {
        const delimiter = text.indexOf(DELIMITER, at);
        if (delimiter < 0 && text.length - at <= MAX_DIGITS) break;
        this.length = this.lengthOf(
          text.slice(at, delimiter < 0 ? at + MAX_DIGITS + 1 : delimiter),
        );
        at = delimiter + 1;
      }
      const end = at + this.length;
      // Until then the text is only appended to, never searched: a long message costs its length once.
      if (end > text.length) break;
      this.length = -1;
      const message = text.slice(at, end);
      at = end;
      this.onMessage(parse(message));
    }
    this.text = at === 0 ? text : text.slice(at);
  }

  private lengthOf(digits: string): number {
    if (digits.length > MAX_DIGITS || !/^\d+$/.test(digits)) {
      throw new Error(`a message begins with its length, not with ${JSON.stringify(digits)}`);
    }
    const length = Number(digits);
    if (length <= this.maxLength) return length;
    throw new Error(`a message of ${length} characters is longer than ${this.maxLength}`);
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Error('a message is no JSON', { cause: error });
  }
}
