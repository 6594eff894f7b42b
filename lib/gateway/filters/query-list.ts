/** The parameters of a query; what is not changed keeps its bytes. */
export class QueryList {
  private parts: string[];

  /** @param query as it came, with its question mark; empty when there is none */
  constructor(query: string) {
    this.parts = query.length > 1 ? query.slice(1).split('&') : [];
  }

  /** The first value of a parameter, decoded. */
  get(name: string): string | undefined {
    return this.getAll(name)[0];
  }

  /** Every value of a parameter, decoded. */
  getAll(name: string): readonly string[] {
    return this.parts.filter((part) => nameOf(part) === name).map(valueOf);
  }

  has(name: string): boolean {
    return this.parts.some((part) => nameOf(part) === name);
  }

  /** Writes a parameter in place of all of its name. */
  set(name: string, value: string): void {
    const at = this.parts.findIndex((part) => nameOf(part) === name);
    const part = encode(name, value);
    if (at === -1) return void this.parts.push(part);
    this.parts[at] = part;
    this.parts = this.parts.filter((each, index) => index <= at || nameOf(each) !== name);
  }

  /** Writes a further parameter. */
  add(name: string, value: string): void {
    this.parts.push(encode(name, value));
  }

  /** Takes every parameter of a name away. */
  remove(name: string): void {
    this.parts = this.parts.filter((part) => nameOf(part) !== name);
  }

  /** Gives every parameter of a name another one. */
  rename(from: string, to: string): void {
    this.parts = this.parts.map((part) =>
      nameOf(part) === from ? encode(to, valueOf(part)) : part,
    );
  }

  /** With its question mark; empty when nothing is left. */
  toString(): string {
    return this.parts.length > 0 ? `?${this.parts.join('&')}` : '';
  }
}

function encode(name: string, value: string): string {
  return `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
}

function nameOf(part: string): string {
  const end = part.indexOf('=');
  return decode(end === -1 ? part : part.slice(0, end));
}

function valueOf(part: string): string {
  const end = part.indexOf('=');
  return end === -1 ? '' : decode(part.slice(end + 1));
}

/** What cannot be decoded stands for itself. */
function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return text;
  }
}
