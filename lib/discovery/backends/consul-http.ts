import type { Agent as HttpAgent } from 'node:http';
import type { Clock } from '../../common/clock.js';
import {
  BackendRefusedError,
  BackendUnavailableError,
  RetryLaterError,
} from '../discovery.errors.js';
import type { ConsulAddress } from './consul-address.js';
import { RegistryHttp, type RegistryReply, type RegistryRequest } from './registry-http.js';

/** One request to the agent; its path begins with `/v1/`. */
export type ConsulRequest = Omit<RegistryRequest, 'headers'>;

export type ConsulReply = Pick<RegistryReply, 'body' | 'header'>;

/** Requests over one pool of connections, with the agent's refusals as errors that tell what to do. */
export class ConsulHttp {
  private readonly http: RegistryHttp;

  constructor(
    private readonly address: ConsulAddress,
    agent: HttpAgent,
    clock: Clock,
  ) {
    this.http = new RegistryHttp(address.url, agent, clock);
  }

  /**
   * Sends a request; answers only with what came whole and with status 200.
   *
   * @throws BackendRefusedError for 400, 401 and 403
   * @throws RetryLaterError for 429
   * @throws BackendUnavailableError for everything else
   */
  async send(request: ConsulRequest): Promise<ConsulReply> {
    const reply = await this.exchange(request);
    if (reply.status === 200) return reply;
    throw this.refusal(request, reply);
  }

  /** The same, piece by piece, for answers too large to be read at once; `onHead` sees the headers first. */
  async *chunks(
    request: ConsulRequest,
    onHead: (reply: ConsulReply) => void,
  ): AsyncGenerator<Buffer, void, undefined> {
    const accept = (reply: RegistryReply) => {
      if (reply.status !== 200) throw this.refusal(request, reply);
      onHead(reply);
    };
    try {
      yield* this.http.chunks({ ...request, headers: credentials(this.address) }, accept);
    } catch (error) {
      throw error instanceof BackendUnavailableError ||
        error instanceof BackendRefusedError ||
        error instanceof RetryLaterError
        ? error
        : unreachable(this.address, error);
    }
  }

  private async exchange(request: ConsulRequest): Promise<RegistryReply> {
    try {
      return await this.http.send({ ...request, headers: credentials(this.address) });
    } catch (error) {
      throw unreachable(this.address, error);
    }
  }

  private refusal({ method, path }: ConsulRequest, reply: RegistryReply): Error {
    return consulError(this.address, {
      what: `${method} ${path}`,
      status: reply.status,
      body: reply.body,
      retryAfter: reply.header('retry-after'),
    });
  }
}

/** The headers that say as whom we speak. */
export function credentials({ token, namespace }: ConsulAddress): Readonly<Record<string, string>> {
  return {
    ...(token !== undefined && { 'x-consul-token': token }),
    ...(namespace !== undefined && { 'x-consul-namespace': namespace }),
  };
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

/** The error for an answer that no agent gives. */
export function notFromConsul(problem: string, cause?: unknown): BackendUnavailableError {
  return new BackendUnavailableError(
    `An answer of Consul ${problem}. Is there a proxy between us and the agent?`,
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
