import type { ServiceInstance } from '../service-instance.js';
import { readInstance } from './instance-json.js';
import { array, integer, parse, positive, ProtocolError, text, texts } from './json-fields.js';

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
      /** Which member it is, so that a holder knows its own. */
      readonly member?: string;
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
      /** The ids of those that are the holder's own and end with it. */
      readonly own: readonly string[];
    }
  | { readonly op: 'services'; readonly id: number; readonly services: readonly string[] };

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
        ...(message['member'] !== undefined && { member: text(message, 'member', 256) }),
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
        own: texts(array(message, 'own')),
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
