import { type Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../../common/clock.js';
import {
  BackendRefusedError,
  BackendUnavailableError,
  RetryLaterError,
} from '../discovery.errors.js';
import type { ConsulAddress } from './consul-address.js';

/** One request to the agent. */
export interface ConsulRequest {
  readonly method: 'GET' | 'PUT';
  /** From `/v1/` on. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** When to give up, in ms, whatever has come until then. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

export interface ConsulReply {
  readonly body: string;
  readonly header: (name: string) => string | undefined;
}

/** The longest answer that is read, in bytes. */
const LONGEST = 64 * 1_048_576;

/** Requests over one pool of connections, with the agent's refusals as errors that tell what to do. */
export class ConsulHttp {
  constructor(
    private readonly address: ConsulAddress,
    private readonly agent: HttpAgent,
    private readonly clock: Clock,
  ) {}

  /**
   * Sends a request; answers only with what came whole and with status 200.
   *
   * @throws BackendRefusedError for 400, 401 and 403
   * @throws RetryLaterError for 429
   * @throws BackendUnavailableError for everything else
   */
  async send(request: ConsulRequest): Promise<ConsulReply> {
    const { signal, cancel } = this.clock.deadline(request.timeout, request.signal);
    try {
      const [response, body] = await this.exchange(request, signal);
      const header = (name: string) => {
        const value = response.headers[name];
        return typeof value === 'string' ? value : undefined;
      };
      if (response.statusCode === 200) return { body, header };
      throw consulError(this.address, {
        what: `${request.method} ${request.path}`,
        status: response.statusCode ?? 0,
        body,
        retryAfter: header('retry-after'),
      });
    } finally {
      cancel();
    }
  }

  private exchange(
    request: ConsulRequest,
    signal: AbortSignal,
  ): Promise<[IncomingMessage, string]> {
    const { url, token } = this.address;
    const target = new URL(`${url.href.replace(/\/$/, '')}${request.path}`);
    for (const [name, value] of Object.entries(request.query)) target.searchParams.set(name, value);
    const payload = request.body === undefined ? undefined : JSON.stringify(request.body);
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        const cause = signal.aborted ? (signal.reason as unknown) : error;
        reject(unreachable(this.address, cause));
      };
      const outgoing = send(target, {
        method: request.method,
        agent: this.agent,
        signal,
        headers: {
          ...(token !== undefined && { 'x-consul-token': token }),
          ...(payload !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(payload),
          }),
        },
      });
      outgoing.on('error', fail);
      outgoing.on('response', (response) => {
        readWhole(response).then((body) => resolve([response, body]), fail);
      });
      outgoing.end(payload);
    });
  }
}

/** What the agent said when it did not say 200. */
export interface ConsulRefusal {
  readonly what: string;
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
}

/** The error for a status that is not 200. The token is in no sentence. */
export function consulError(address: ConsulAddress, refusal: ConsulRefusal): Error {
  const { what, status } = refusal;
  const said = `Consul at ${address.url.host} answered ${status} to ${what}: ${excerpt(refusal.body)}`;
  if (status === 429) return new RetryLaterError(said, readRetryAfter(refusal.retryAfter));
  if (status === 401 || status === 403) {
    const needs = 'service_prefix "" write or read, and node_prefix "" read';
    return new BackendRefusedError(
      `${said}. Give consul.token or CONSUL_HTTP_TOKEN a token whose policy has ${needs}.`,
    );
  }
  return status === 400
    ? new BackendRefusedError(`${said}.`)
    : new BackendUnavailableError(`${said}.`);
}

/** The error for an answer that never came, or not whole. */
export function unreachable(address: ConsulAddress, cause: unknown): BackendUnavailableError {
  const reason =
    cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : '';
  return new BackendUnavailableError(
    `Consul at ${address.url.host} cannot be reached: ${reason || 'no reason given'}. Is the agent running? CONSUL_HTTP_ADDR or consul.url says where.`,
    cause,
  );
}

/** Seconds or a date (RFC 9110, 10.2.3), as ms; 2 s where neither can be read. */
function readRetryAfter(header: string | undefined): number {
  const seconds = Number(header);
  return header && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : 2_000;
}

function excerpt(body: string): string {
  return body.replaceAll(/\s+/g, ' ').trim().slice(0, 160) || 'no reason given';
}

async function readWhole(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LONGEST) throw new Error(`the answer is longer than ${LONGEST} bytes`);
  }
  if (!response.complete) throw new Error('the answer broke off');
  return Buffer.concat(chunks).toString('utf8');
}
