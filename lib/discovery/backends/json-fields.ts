/** Something another process wrote that is not of the language it should speak. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

export type Fields = Readonly<Record<string, unknown>>;

/** Reads a line of JSON that holds an object; throws `ProtocolError`, as all of these do. */
export function parse(line: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ProtocolError('a line that is not JSON');
  }
  return object(value);
}

export function object(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('a line that is no object');
  }
  return value as Fields;
}

export function bad(field: string): ProtocolError {
  return new ProtocolError(`a message with a bad "${field}"`);
}

export function text(fields: Fields, name: string, most: number): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '' || value.length > most) throw bad(name);
  return value;
}

export function integer(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw bad(name);
  return value;
}

export function positive(fields: Fields, name: string): number {
  const value = integer(fields, name);
  if (value < 1) throw bad(name);
  return value;
}

export function array(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw bad(name);
  return value;
}

export function port(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 65_535) {
    throw bad('port');
  }
  return value;
}

export function asText(value: unknown): string {
  if (typeof value !== 'string') throw new ProtocolError('something that is no text');
  return value;
}

export function texts(values: readonly unknown[]): readonly string[] {
  return values.map(asText);
}

export function entries<T>(
  fields: Fields,
  name: string,
  read: (value: unknown) => T,
): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(object(fields[name])).map(([key, value]) => [key, read(value)]),
  );
}

/** A value as a text, whatever plain thing it is; nothing where there is none. */
export function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
