import type { ServerResponse } from 'node:http';
import type { UpstreamError } from '../../upstream/upstream.errors.js';

/** The statuses that the gateway answers by itself. */
const TITLES = {
  400: 'Bad Request',
  404: 'Not Found',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  421: 'Misdirected Request',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
} as const;

/** What nginx calls a client that closed the connection before its answer came; only logs see it. */
export const CLIENT_GONE = 499;

export type ProblemStatus = keyof typeof TITLES;

/** The head of every problem, beside its length. */
export const PROBLEM_HEADERS: readonly string[] = [
  'content-type',
  'application/problem+json',
  'cache-control',
  'no-store',
];

/** The text of a problem that is nothing but a status. */
export function plainProblem(status: ProblemStatus, requestId: string): string {
  return problemBody({ title: TITLES[status], status, requestId });
}

/** The text of a problem; a detail is what a filter or guard says to the client on purpose. */
export function problemBody(problem: {
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly requestId: string;
}): string {
  return JSON.stringify({ type: 'about:blank', ...problem });
}

/** How a problem is told. */
export interface Problem {
  readonly status: ProblemStatus;
  /** Under what the request is found in logs. */
  readonly requestId: string;
  /** Whether nothing more can be read from this connection. */
  readonly close?: boolean;
}

/**
 * A problem as `application/problem+json` (RFC 9457): the status and an id to find the request by, nothing else.
 *
 * Nothing of the request is reflected and nothing of the system is told: no reason, no host, no port.
 */
export function problemAnswer({ status, requestId, close }: Problem): {
  readonly headers: string[];
  readonly body: string;
} {
  const body = plainProblem(status, requestId);
  const headers = [...PROBLEM_HEADERS, 'content-length', String(Buffer.byteLength(body))];
  if (status === 503) headers.push('retry-after', '1');
  if (close) headers.push('connection', 'close');
  return { headers, body };
}

/** Answers with a problem. */
export function sendProblem(response: ServerResponse, problem: Problem): void {
  const { headers, body } = problemAnswer(problem);
  response.writeHead(problem.status, headers);
  response.end(body);
}

/** What a client hears of a call that failed. */
export function statusOf(error: UpstreamError): ProblemStatus {
  return error.statusCode === 503 || error.statusCode === 504 ? error.statusCode : 502;
}
