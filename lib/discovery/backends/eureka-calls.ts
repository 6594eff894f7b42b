import { messageOf } from '../../common/errors.js';
import { BackendRefusedError, BackendUnavailableError } from '../discovery.errors.js';
import { type Fields, parse } from './json-fields.js';
import type { RegistryHttp, RegistryReply, RegistryRequest } from './registry-http.js';

export interface EurekaCallsOptions {
  readonly http: RegistryHttp;
  readonly host: string;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
}

const CALL_TIMEOUT = 5_000;

/** What we ask of a Eureka server. */
export class EurekaCalls {
  constructor(private readonly options: EurekaCallsOptions) {}

  /** Reads a document. */
  async get(path: string, signal: AbortSignal): Promise<Fields> {
    const reply = await this.send({ method: 'GET', path }, signal);
    if (reply.status !== 200) throw this.refusal(path, reply);
    try {
      return parse(reply.body);
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  /** Registers; an instance of the same id is replaced. */
  async register(app: string, body: object, signal: AbortSignal): Promise<void> {
    const path = `/apps/${encodeURIComponent(app)}`;
    const reply = await this.send({ method: 'POST', path, body }, signal);
    if (!isFine(reply)) throw this.refusal(path, reply);
  }

  /** Beats; false when the server does not know the instance any more. */
  async renew(app: string, id: string, signal: AbortSignal): Promise<boolean> {
    const path = `/apps/${encodeURIComponent(app)}/${encodeURIComponent(id)}`;
    const reply = await this.send({ method: 'PUT', path }, signal);
    if (reply.status === 404) return false;
    if (!isFine(reply)) throw this.refusal(path, reply);
    return true;
  }

  /** Takes a registration back; one the server does not know is gone already. */
  async cancel(app: string, id: string, signal: AbortSignal): Promise<void> {
    const path = `/apps/${encodeURIComponent(app)}/${encodeURIComponent(id)}`;
    const reply = await this.send({ method: 'DELETE', path }, signal);
    if (!isFine(reply) && reply.status !== 404) throw this.refusal(path, reply);
  }

  private async send(
    request: Pick<RegistryRequest, 'method' | 'path' | 'body'>,
    signal: AbortSignal,
  ): Promise<RegistryReply> {
    const { http, credentials } = this.options;
    const headers = credentials && {
      authorization: `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`,
    };
    try {
      return await http.send({
        ...request,
        ...(headers && { headers }),
        timeout: CALL_TIMEOUT,
        signal,
      });
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  private refusal(path: string, { status, body }: RegistryReply): Error {
    const reason = body.replaceAll(/\s+/g, ' ').trim().slice(0, 160) || 'no reason given';
    const said = `Eureka at ${this.options.host} answered ${status} to ${path}: ${reason}`;
    if (status === 401 || status === 403) {
      return new BackendRefusedError(`${said}. Give eureka.user and eureka.password.`);
    }
    if (status === 404 && path.startsWith('/apps')) {
      return new BackendRefusedError(
        `${said}. Does eureka.url name the context, such as http://host:8761/eureka (Spring) or /eureka/v2 (Netflix)?`,
      );
    }
    return new BackendUnavailableError(`${said}.`);
  }

  private unreachable(cause: unknown): Error {
    return new BackendUnavailableError(
      `Eureka at ${this.options.host} cannot be reached: ${messageOf(cause)}. Is it running? eureka.url or EUREKA_URL says where.`,
      cause,
    );
  }
}

function isFine({ status }: RegistryReply): boolean {
  return status >= 200 && status < 300;
}
