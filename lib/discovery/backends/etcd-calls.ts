import type { Agent as HttpAgent } from 'node:http';
import type { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import { BackendRefusedError, BackendUnavailableError } from '../discovery.errors.js';
import { type Fields, object, parse, plain } from './json-fields.js';
import { RegistryHttp, type RegistryReply } from './registry-http.js';

export interface EtcdCallsOptions {
  readonly url: URL;
  readonly pool: HttpAgent;
  readonly clock: Clock;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** A key with its value, and the lease it lives by. */
export interface EtcdEntry {
  readonly key: string;
  readonly value: string;
  readonly lease: string;
}

/** How long a call may take, in ms. */
const CALL_TIMEOUT = 5_000;

/**
 * What we ask of etcd, over its JSON gateway: bytes are base64, and whole numbers of 64 bits are texts.
 * https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/
 */
export class EtcdCalls {
  private readonly http: RegistryHttp;
  private token: Promise<string> | undefined;

  constructor(private readonly options: EtcdCallsOptions) {
    this.http = new RegistryHttp(options.url, options.pool, options.clock);
  }

  /** A new lease of so many seconds. */
  async grant(seconds: number, signal: AbortSignal): Promise<string> {
    const { ID } = await this.call('/v3/lease/grant', { TTL: String(seconds) }, signal);
    return plain(ID);
  }

  /** Renews a lease; false when etcd does not know it any more. */
  async keepAlive(lease: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.call('/v3/lease/keepalive', { ID: lease }, signal);
    return Number(fieldsOf(answer['result'])['TTL'] ?? 0) > 0;
  }

  /** Ends a lease and with it its keys; one that is unknown has ended already. */
  async revoke(lease: string, signal: AbortSignal): Promise<void> {
    await this.call('/v3/lease/revoke', { ID: lease }, signal, isUnknownLease);
  }

  /** Writes a key under a lease. */
  async put({ key, value, lease }: EtcdEntry, signal: AbortSignal): Promise<void> {
    await this.call('/v3/kv/put', { key: encode(key), value: encode(value), lease }, signal);
  }

  /** Looks whether a key is there and under our lease, and writes it then if it should be. */
  async putIfOurs(
    { key, value, lease }: EtcdEntry,
    write: boolean,
    signal: AbortSignal,
  ): Promise<'ours' | 'replaced' | 'absent'> {
    const read = { request_range: { key: encode(key), count_only: true } };
    const put = { request_put: { key: encode(key), value: encode(value), lease } };
    const answer = await this.call(
      '/v3/kv/txn',
      {
        compare: [{ key: encode(key), target: 'LEASE', result: 'EQUAL', lease }],
        success: write ? [put] : [],
        failure: [read],
      },
      signal,
    );
    if (answer['succeeded'] === true) return 'ours';
    const [first] = Array.isArray(answer['responses']) ? (answer['responses'] as unknown[]) : [];
    const { count } = fieldsOf(fieldsOf(first)['response_range']);
    return Number(count ?? 0) > 0 ? 'replaced' : 'absent';
  }

  /** All keys that begin so, and the revision they were read at. */
  async range(
    prefix: string,
    signal: AbortSignal,
  ): Promise<{ readonly entries: readonly unknown[]; readonly revision: bigint }> {
    const answer = await this.call('/v3/kv/range', rangeOf(prefix), signal);
    const { revision } = fieldsOf(answer['header']);
    const kvs = answer['kvs'];
    return { entries: Array.isArray(kvs) ? kvs : [], revision: BigInt(plain(revision)) };
  }

  /** What happens to the keys that begin so, from a revision on; ends in order after so many ms. */
  async *watch(
    prefix: string,
    { from, limit }: { readonly from: bigint; readonly limit: number },
    signal: AbortSignal,
  ): AsyncGenerator<Fields, void, undefined> {
    const create = { ...rangeOf(prefix), start_revision: String(from) };
    const lines = this.http.lines(
      {
        method: 'POST',
        path: '/v3/watch',
        body: { create_request: create },
        headers: await this.credentials(signal),
        timeout: limit,
        signal,
      },
      (reply) => {
        if (reply.status !== 200) throw this.refusal('/v3/watch', reply);
      },
    );
    try {
      for await (const line of lines) {
        const message = parse(line);
        if (message['error'] !== undefined) throw new Error(line.slice(0, 200));
        yield fieldsOf(message['result']);
      }
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  private async call(
    path: string,
    body: object,
    signal: AbortSignal,
    ignore: (reply: RegistryReply) => boolean = () => false,
  ): Promise<Fields> {
    const headers = await this.credentials(signal);
    const reply = await this.send({ path, body, headers }, signal);
    if (reply.status === 200) return this.read(reply.body);
    if (ignore(reply)) return {};
    throw this.refusal(path, reply);
  }

  private async send(
    request: { path: string; body: object; headers: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<RegistryReply> {
    try {
      const timeout = CALL_TIMEOUT;
      return await this.http.send({ ...request, method: 'POST', timeout, signal });
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  private read(body: string): Fields {
    try {
      return parse(body);
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  private async credentials(signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const { user: name, password } = this.options;
    if (name === undefined || password === undefined) return {};
    this.token ??= this.authenticate({ name, password }, signal);
    try {
      return { authorization: await this.token };
    } catch (error) {
      this.token = undefined;
      throw error;
    }
  }

  private async authenticate(body: object, signal: AbortSignal): Promise<string> {
    const path = '/v3/auth/authenticate';
    const reply = await this.send({ path, body, headers: {} }, signal);
    if (reply.status !== 200) throw this.refusal(path, reply);
    return String(this.read(reply.body)['token']);
  }

  private refusal(path: string, { status, body }: RegistryReply): Error {
    // A token lives for some minutes only; the next call asks for another.
    if (status === 401) this.token = undefined;
    const reason = body.replaceAll(/\s+/g, ' ').trim().slice(0, 160) || 'no reason given';
    const said = `etcd at ${this.options.url.host} answered ${status} to ${path}: ${reason}`;
    if (status === 404 && !body.includes('etcdserver')) {
      return new BackendRefusedError(`${said}. The JSON gateway of etcd 3.4 or newer is needed.`);
    }
    return status === 401 || status === 403 || status === 400
      ? new BackendRefusedError(`${said}. Do etcd.user and etcd.password have the rights needed?`)
      : new BackendUnavailableError(`${said}.`);
  }

  private unreachable(cause: unknown): Error {
    if (cause instanceof BackendRefusedError || cause instanceof BackendUnavailableError) {
      return cause;
    }
    return new BackendUnavailableError(
      `etcd at ${this.options.url.host} cannot be reached: ${messageOf(cause)}. Is it running? etcd.url or ETCD_ENDPOINT says where.`,
      cause,
    );
  }
}

/** The text of a key or a value; the empty one is left out by the gateway. */
export function decode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : '', 'base64').toString('utf8');
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Our prefixes end with a slash, and the byte after it is the zero. */
function rangeOf(prefix: string): { key: string; range_end: string } {
  return { key: encode(prefix), range_end: encode(`${prefix.slice(0, -1)}0`) };
}

function fieldsOf(value: unknown): Fields {
  return value === undefined || value === null ? {} : object(value);
}

function isUnknownLease({ status, body }: RegistryReply): boolean {
  return status === 404 && body.includes('lease not found');
}
