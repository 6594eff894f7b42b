import { isServiceName } from '../../common/service-identity.js';
import type { InstanceStatus, ServiceInstance } from '../service-instance.js';

/** The version of the language that members and the holder speak; both must speak the same. */
export const PROTOCOL = 1;

/** The longest line a member may send, in characters. */
export const MEMBER_LINE = 1_048_576;

/** The longest line the holder may send, in characters; it carries all instances of a service. */
export const HOLDER_LINE = 16 * MEMBER_LINE;

/** What a member says to the holder: one JSON object on a line. */
export type MemberMessage =
  | {
      readonly op: 'hello';
      readonly protocol: number;
      readonly namespace: string;
      /** Whether this member has known an earlier holder. */
      readonly returning: boolean;
      /** How long its registrations outlive its last word, in ms. */
      readonly ttl: number;
      readonly nonce: string;
    }
  | { readonly op: 'proof'; readonly proof: string }
  | { readonly op: 'put'; readonly id: number; readonly instance: ServiceInstance }
  | { readonly op: 'delete'; readonly id: number; readonly instance: string }
  /** Without a service: the names of all services. */
  | { readonly op: 'watch'; readonly id: number; readonly service?: string }
  | { readonly op: 'unwatch'; readonly id: number };

/** What the holder says to a member. */
export type HolderMessage =
  | { readonly op: 'challenge'; readonly nonce: string; readonly proof: string }
  | { readonly op: 'welcome'; readonly protocol: number }
  | { readonly op: 'refused'; readonly reason: string }
  | { readonly op: 'done'; readonly id: number }
  | {
      readonly op: 'instances';
      readonly id: number;
      readonly instances: readonly ServiceInstance[];
    }
  | { readonly op: 'services'; readonly id: number; readonly services: readonly string[] };

/** A line that is not of this language. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Reads a member's line, or throws `ProtocolError`. */
export function readMemberMessage(line: string): MemberMessage {
  const message = parse(line);
  const { op } = message;
  switch (op) {
    case 'hello':
      return {
        op,
        protocol: integer(message, 'protocol'),
        namespace: text(message, 'namespace', 256),
        returning: message['returning'] === true,
        ttl: positive(message, 'ttl'),
        nonce: text(message, 'nonce', 256),
      };
    case 'proof':
      return { op, proof: text(message, 'proof', 256) };
    case 'put':
      return { op, id: integer(message, 'id'), instance: readInstance(message['instance']) };
    case 'delete':
      return { op, id: integer(message, 'id'), instance: text(message, 'instance', 512) };
    case 'watch': {
      const id = integer(message, 'id');
      return message['service'] === undefined
        ? { op, id }
        : { op, id, service: text(message, 'service', 256) };
    }
    case 'unwatch':
      return { op, id: integer(message, 'id') };
    default:
      throw new ProtocolError('an unknown operation');
  }
}

/** Reads the holder's line, or throws `ProtocolError`. */
export function readHolderMessage(line: string): HolderMessage {
  const message = parse(line);
  const { op } = message;
  switch (op) {
    case 'challenge':
      return { op, nonce: text(message, 'nonce', 256), proof: text(message, 'proof', 256) };
    case 'welcome':
      return { op, protocol: integer(message, 'protocol') };
    case 'refused':
      return { op, reason: text(message, 'reason', 1_000) };
    case 'done':
      return { op, id: integer(message, 'id') };
    case 'instances':
      return {
        op,
        id: integer(message, 'id'),
        instances: array(message, 'instances').map(readInstance),
      };
    case 'services':
      return {
        op,
        id: integer(message, 'id'),
        services: texts(array(message, 'services')),
      };
    default:
      throw new ProtocolError('an unknown operation');
  }
}

type Fields = Readonly<Record<string, unknown>>;

const STATUSES: readonly InstanceStatus[] = ['up', 'degraded', 'draining', 'down'];

/** Copies what an instance has, field by field, so that nothing else comes along. */
function readInstance(value: unknown): ServiceInstance {
  const fields = object(value);
  const { service, scheme, weight, zone, version } = fields;
  const status = STATUSES.find((each) => each === fields['status']);
  if (typeof service !== 'string' || !isServiceName(service)) throw bad('service');
  if (scheme !== 'http' && scheme !== 'https') throw bad('scheme');
  if (typeof weight !== 'number' || weight < 0) throw bad('weight');
  if (!status) throw bad('status');
  return {
    id: text(fields, 'id', 512),
    service,
    host: text(fields, 'host', 512),
    port: port(fields['port']),
    ports: entries(fields, 'ports', port),
    scheme,
    status,
    weight,
    ...(zone !== undefined && { zone: text(fields, 'zone', 512) }),
    ...(version !== undefined && { version: text(fields, 'version', 512) }),
    tags: texts(array(fields, 'tags')),
    metadata: entries(fields, 'metadata', asText),
  };
}

function parse(line: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ProtocolError('a line that is not JSON');
  }
  return object(value);
}

function object(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('a line that is no object');
  }
  return value as Fields;
}

function bad(field: string): ProtocolError {
  return new ProtocolError(`a message with a bad "${field}"`);
}

function text(fields: Fields, name: string, most: number): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '' || value.length > most) throw bad(name);
  return value;
}

function integer(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw bad(name);
  return value;
}

function positive(fields: Fields, name: string): number {
  const value = integer(fields, name);
  if (value < 1) throw bad(name);
  return value;
}

function array(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw bad(name);
  return value;
}

function port(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 65_535) {
    throw bad('port');
  }
  return value;
}

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new ProtocolError('something that is no text');
  return value;
}

function texts(values: readonly unknown[]): readonly string[] {
  return values.map(asText);
}

function entries<T>(
  fields: Fields,
  name: string,
  read: (value: unknown) => T,
): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(object(fields[name])).map(([key, value]) => [key, read(value)]),
  );
}
