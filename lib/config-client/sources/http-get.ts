import { Agent, type IncomingMessage, request as http } from 'node:http';
import type { RequestOptions } from 'node:https';

/** An answer, read whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What is asked, and how long and how much. */
export interface HttpQuestion {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** More bytes than this are not read. */
  readonly most: number;
  /** Sent with PUT instead of GET. */
  readonly body?: string;
}

class StaleConnectionError extends Error {}

/**
 * Asks over HTTP, with kept-alive connections; redirects are not followed.
 *
 * `node:http` is already loaded by Nest; the global `fetch` would cost each service 15 ms and some megabytes more.
 */
export class HttpGetter {
  private plain: Agent | undefined;
  private secure: Agent | undefined;

  /** The answer, whatever its status; throws when none came, when it was cut off, or when it was too large. */
  async get({ url, headers, signal, most, body: sent }: HttpQuestion): Promise<HttpAnswer> {
    const options: RequestOptions = { headers, signal, method: sent === undefined ? 'GET' : 'PUT' };
    const { username, password } = url;
    if (username || password) {
      options.auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    }
    const target = new URL(url);
    target.username = target.password = '';
    const response = await this.sent(target, options, sent);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > most) throw new Error(`the answer is larger than ${most} bytes`);
      chunks.push(chunk);
    }
    if (!response.complete) throw new Error('the answer was cut off');
    const body = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  }

  /** Closes the connections. */
  close(): void {
    this.plain?.destroy();
    this.secure?.destroy();
  }

  /** A kept connection that the other side was closing at that moment is no failure of it: another one is opened. */
  private async sent(
    url: URL,
    options: RequestOptions,
    body: string | undefined,
  ): Promise<IncomingMessage> {
    for (;;) {
      try {
        return await this.send(url, options, body);
      } catch (error) {
        if (!(error instanceof StaleConnectionError)) throw error;
      }
    }
  }

  private async send(
    url: URL,
    options: RequestOptions,
    body: string | undefined,
  ): Promise<IncomingMessage> {
    const ask = url.protocol === 'https:' ? await this.https() : http;
    this.plain ??= new Agent({ keepAlive: true });
    const agent = url.protocol === 'https:' ? this.secure : this.plain;
    return new Promise((resolve, reject) => {
      const request = ask(url, { ...options, agent }, resolve);
      request.on('error', (error: NodeJS.ErrnoException) => {
        const stale = request.reusedSocket && error.code === 'ECONNRESET';
        reject(stale ? new StaleConnectionError() : error);
      });
      request.end(body);
    });
  }

  private async https(): Promise<typeof http> {
    const { Agent: SecureAgent, request } = await import('node:https');
    this.secure ??= new SecureAgent({ keepAlive: true });
    return request;
  }
}
