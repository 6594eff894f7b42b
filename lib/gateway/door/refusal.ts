import { STATUS_CODES } from 'node:http';
import { PROBLEM_HEADERS, problemBody } from '../proxy/problem-response.js';

/** What a door answers in place of the upstream. */
export interface Refusal {
  readonly status: number;
  /** Alternating names and values. */
  readonly headers: readonly string[];
  /** Why, for logs; the client does not hear it. */
  readonly reason: string;
  /** Whether it is an answer of its own, such as to a preflight, and no problem. */
  readonly plain?: boolean;
}

/** A refusal as an answer: its head, and a problem (RFC 9457) that tells nothing but the status. */
export function refusalAnswer(
  { status, headers, plain }: Refusal,
  requestId: string,
): { readonly headers: string[]; readonly body: Buffer } {
  if (plain) return { headers: [...headers], body: Buffer.alloc(0) };
  const body = problemBody({ title: STATUS_CODES[status] ?? 'Refused', status, requestId });
  return { headers: [...PROBLEM_HEADERS, ...headers], body: Buffer.from(body) };
}
