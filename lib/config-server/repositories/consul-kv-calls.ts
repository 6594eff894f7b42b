import { Agent, type IncomingMessage, request as http } from 'node:http';
import { Agent as SecureAgent, request as https } from 'node:https';
import { messageOf } from '../../common/errors.js';
import type { ConsulAddress } from '../../discovery/backends/consul-address.js';
import { RepositoryError } from '../config-server.errors.js';

/** Everything below a prefix at a moment. */
export interface KvSnapshot {
  /** Consul's counter; a question that names it is held until it has moved. */
  readonly index: string;
  readonly entries: ReadonlyMap<string, Buffer>;
}

/** What is asked, and how long Consul may hold it. */
export interface KvQuestion {
  readonly prefix: string;
  readonly index: string | undefined;
  /** In seconds. */
  readonly wait: number;
  readonly signal: AbortSignal;
}

/** A larger answer is refused, in bytes. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Reads Consul's key-value store by blocking queries. */
export class ConsulKvCalls {
  private readonly agent: Agent;

  constructor(private readonly address: ConsulAddress) {
    const secure = address.url.protocol === 'https:';
    this.agent = secure ? new SecureAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  }

  /** Everything below the prefix, at once or when the index has moved; throws `RepositoryError`. */
  async read(question: KvQuestion): Promise<KvSnapshot> {
    const { prefix, signal } = question;
    try {
      const response = await this.send(question);
      const body = await readWhole(response);
      const status = response.statusCode ?? 0;
      // Nothing below the prefix is no failure: somebody may write there later.
      if (status !== 200 && status !== 404) throw new Error(`it answered ${status}${hint(status)}`);
      const index = response.headers['x-consul-index'];
      if (typeof index !== 'string') throw new Error('it is no Consul: X-Consul-Index is missing');
      return { index, entries: status === 404 ? new Map() : entriesOf(body) };
    } catch (error) {
      const reason = signal.aborted ? signal.reason : error;
      const { host } = this.address.url;
      throw new RepositoryError(
        `Consul at ${host} cannot be asked for "${prefix}": ${messageOf(reason)}`,
        error,
      );
    }
  }

  close(): void {
    this.agent.destroy();
  }

  private send({ prefix, index, wait, signal }: KvQuestion): Promise<IncomingMessage> {
    const { url, token } = this.address;
    const path = prefix.split('/').map(encodeURIComponent).join('/');
    const target = new URL(`${url.href.replace(/\/$/, '')}/v1/kv/${path}`);
    target.searchParams.set('recurse', 'true');
    if (index !== undefined) {
      target.searchParams.set('index', index);
      target.searchParams.set('wait', `${wait}s`);
    }
    const headers = token === undefined ? {} : { 'x-consul-token': token };
    const ask = url.protocol === 'https:' ? https : http;
    return new Promise((resolve, reject) => {
      ask(target, { agent: this.agent, headers, signal }, resolve).on('error', reject).end();
    });
  }
}

async function readWhole(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error(`the answer is larger than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (!response.complete) throw new Error('the answer broke off');
  return Buffer.concat(chunks).toString('utf8');
}

function entriesOf(body: string): ReadonlyMap<string, Buffer> {
  const list = parsed(body);
  const isList = Array.isArray(list) && list.every((row) => typeof row?.Key === 'string');
  if (!isList) throw new Error('it answered no list of keys');
  const rows = list as readonly { Key: string; Value: string | null }[];
  return new Map(rows.map(({ Key, Value }) => [Key, Buffer.from(Value ?? '', 'base64')]));
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // The parser's own sentence quotes the text, in which there may be secrets.
    throw new Error(`it answered ${body.length} characters that are not JSON`);
  }
}

function hint(status: number): string {
  if (status !== 401 && status !== 403) return '';
  return '. Give it a token whose policy has key_prefix "…" read';
}
