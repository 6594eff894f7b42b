import { EventEmitter } from 'node:events';
import type { Agent as HttpAgent } from 'node:http';
import type Consul from 'consul';
import type { InstanceStatus } from '../service-instance.js';
import type { ConsulAddress } from './consul-address.js';
import { consulError, type ConsulHttp, credentials, unreachable } from './consul-http.js';
import { heartbeatCheck } from './consul-status.js';
import { CALL_TIMEOUT } from './consul-watch.js';

/** Options the client takes with every call; its README documents them, its types leave them out. */
interface CallOptions {
  readonly timeout: number;
  readonly ctx: EventEmitter;
}

/** What we ask of the local agent, over the `consul` package, which is loaded with the first call. */
export class ConsulCalls {
  private loading: Promise<Consul> | undefined;

  constructor(
    private readonly address: ConsulAddress,
    private readonly agent: HttpAgent,
    private readonly http: ConsulHttp,
  ) {}

  /** Registers; checks of an earlier registration that are not in this one are dropped. */
  async register(registration: object, signal: AbortSignal): Promise<void> {
    // The package's own register leaves out Weights and replace-existing-checks: without the latter a check that is no
    // longer defined stays, turns critical and takes the service down.
    await this.http.send({
      method: 'PUT',
      path: '/v1/agent/service/register',
      query: { 'replace-existing-checks': 'true' },
      body: registration,
      timeout: CALL_TIMEOUT,
      signal,
    });
  }

  /** Beats; `lost` when the agent does not know the instance any more. */
  async beat(id: string, status: InstanceStatus, signal: AbortSignal): Promise<'ok' | 'lost'> {
    const known = await this.call(signal, {
      what: 'the heartbeat',
      ignore: isForgotten,
      run: async ({ agent }, options) => {
        const beat = { ...options, id: heartbeatCheck(id), note: status };
        if (status === 'up') await agent.check.pass(beat);
        else if (status === 'degraded') await agent.check.warn(beat);
        else await agent.check.fail(beat);
      },
    });
    return known ? 'ok' : 'lost';
  }

  /** Takes a registration back; one the agent does not know is gone already. */
  async deregister(id: string, signal: AbortSignal): Promise<void> {
    await this.call(signal, {
      what: 'the deregistration',
      ignore: (code) => code === 404,
      run: ({ agent }, options) => agent.service.deregister({ ...options, id }),
    });
  }

  /** False when the call failed in a way that is to be ignored. */
  private async call(signal: AbortSignal, { what, ignore, run }: Call): Promise<boolean> {
    signal.throwIfAborted();
    const client = await this.client();
    const ctx = new EventEmitter();
    const cancel = () => ctx.emit('cancel');
    signal.addEventListener('abort', cancel, { once: true });
    try {
      await run(client, { timeout: CALL_TIMEOUT, ctx });
      return true;
    } catch (error) {
      const answer = readAnswer(error);
      if (!answer) throw unreachable(this.address, signal.aborted ? signal.reason : error);
      if (ignore(answer.status, answer.body)) return false;
      throw consulError(this.address, { ...answer, what });
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  private client(): Promise<Consul> {
    return (this.loading ??= this.load());
  }

  private async load(): Promise<Consul> {
    const { default: ConsulClient } = await import('consul');
    const { url, token } = this.address;
    return new ConsulClient({
      // Its types leave out what its base class takes.
      ...({
        baseUrl: `${url.href.replace(/\/$/, '')}/v1`,
        headers: credentials(this.address),
      } as object),
      agent: this.agent,
      defaults: token === undefined ? {} : { token },
    });
  }
}

interface Call {
  /** Its name in an error. */
  readonly what: string;
  readonly ignore: (status: number, body: string) => boolean;
  readonly run: (client: Consul, options: CallOptions) => Promise<unknown>;
}

/** How agents say that they know no such check: 404, and 500 before Consul 1.11. */
function isForgotten(status: number, body: string): boolean {
  return (
    status === 404 || (status === 500 && /does not have associated TTL|unknown check/i.test(body))
  );
}

/** The answer an error of the client carries, if there was one. */
function readAnswer(error: unknown) {
  const { response } = error as { response?: Record<string, unknown> };
  if (typeof response?.['statusCode'] !== 'number') return undefined;
  const { body, headers } = response as { body?: unknown; headers?: Record<string, unknown> };
  const retryAfter = headers?.['retry-after'];
  return {
    status: response['statusCode'],
    body: Buffer.isBuffer(body) || typeof body === 'string' ? String(body) : '',
    retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
  };
}
