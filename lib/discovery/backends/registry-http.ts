import { type Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../../common/clock.js';

/** One request to a registry that speaks HTTP. */
export interface RegistryRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** With its leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** When to give up, in ms, whatever has come until then. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

export interface RegistryReply {
  readonly status: number;
  readonly body: string;
  readonly header: (name: string) => string | undefined;
}

/** The longest answer that is read, in bytes. */
const LONGEST = 64 * 1_048_576;

/** Requests over one pool of connections: an answer is whole, or it is an error; redirects are not followed. */
export class RegistryHttp {
  constructor(
    /** Without a slash at the end. */
    private readonly url: URL,
    private readonly agent: HttpAgent,
    private readonly clock: Clock,
  ) {}

  /** Sends a request and reads its answer, whatever its status; rejects with what kept the answer from coming whole. */
  async send(request: RegistryRequest): Promise<RegistryReply> {
    const { signal, cancel } = this.clock.deadline(request.timeout, request.signal);
    try {
      const response = await this.open(request, signal);
      const body = await readWhole(response);
      return { status: response.statusCode ?? 0, body, header: headerOf(response) };
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      cancel();
    }
  }

  /**
   * Streams an answer as it comes, until it is over or the request's signal aborts; throws what kept it from coming whole.
   *
   * @param accept looks at the status and the headers first; what it throws ends the stream
   */
  async *chunks(
    request: RegistryRequest,
    accept: (reply: RegistryReply) => void,
  ): AsyncGenerator<Buffer, void, undefined> {
    const { signal, cancel } = this.clock.deadline(request.timeout, request.signal);
    try {
      const response = await this.open(request, signal);
      const status = response.statusCode ?? 0;
      const body = status === 200 ? '' : await readWhole(response);
      accept({ status, body, header: headerOf(response) });
      yield* response as AsyncIterable<Buffer>;
      // A server ends a stream when it likes; one that breaks off is an error.
      if (!response.complete) throw new Error('the answer broke off');
    } catch (error) {
      if (request.signal.aborted) return;
      throw signal.aborted ? signal.reason : error;
    } finally {
      cancel();
    }
  }

  /** The same, line by line, for streams without an end: their time-out ends them in order. */
  async *lines(
    request: RegistryRequest,
    accept: (reply: RegistryReply) => void,
  ): AsyncGenerator<string, void, undefined> {
    const decoder = new StringDecoder('utf8');
    let partial = '';
    try {
      for await (const chunk of this.chunks(request, accept)) {
        const pieces = (partial + decoder.write(chunk)).split('\n');
        partial = pieces.pop() ?? '';
        if (partial.length > LONGEST)
          throw new Error(`a line is longer than ${LONGEST} characters`);
        for (const piece of pieces) if (piece !== '') yield piece;
      }
    } catch (error) {
      if (!isTimeout(error)) throw error;
    }
  }

  private open(request: RegistryRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const target = new URL(`${this.url.href.replace(/\/$/, '')}${request.path}`);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      target.searchParams.set(name, value);
    }
    const payload = request.body === undefined ? undefined : JSON.stringify(request.body);
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const outgoing = send(target, {
        method: request.method,
        agent: this.agent,
        signal,
        headers: {
          accept: 'application/json',
          ...request.headers,
          ...(payload !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(payload),
          }),
        },
      });
      outgoing.on('error', reject);
      outgoing.on('response', resolve);
      outgoing.end(payload);
    });
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}

function headerOf(response: IncomingMessage) {
  return (name: string) => {
    const value = response.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
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
