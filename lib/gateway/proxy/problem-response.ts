import type { ServerResponse } from 'node:http';

/** The statuses that the gateway answers by itself. */
const TITLES = {
  400: 'Bad Request',
  404: 'Not Found',
  413: 'Content Too Large',
  421: 'Misdirected Request',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
} as const;

export type ProblemStatus = keyof typeof TITLES;

/** How a problem is told. */
export interface Problem {
  readonly status: ProblemStatus;
  /** Under what the request is found in logs. */
  readonly requestId: string;
  /** Whether nothing more can be read from this connection. */
  readonly close?: boolean;
}

/**
 * Answers with `application/problem+json` (RFC 9457): the status and an id to find the request by, nothing else.
 *
 * Nothing of the request is reflected and nothing of the system is told: no reason, no host, no port.
 */
export function sendProblem(response: ServerResponse, { status, requestId, close }: Problem): void {
  const title = TITLES[status];
  const body = JSON.stringify({ type: 'about:blank', title, status, requestId });
  const headers = ['content-type', 'application/problem+json', 'cache-control', 'no-store'];
  headers.push('content-length', String(Buffer.byteLength(body)));
  if (status === 503) headers.push('retry-after', '1');
  if (close) headers.push('connection', 'close');
  response.writeHead(status, headers);
  response.end(body);
}
