import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** An HTTP server that answers as a test tells it, and remembers what it was asked. */
export class ScriptedServer {
  readonly requests: { readonly method: string; readonly url: URL; readonly body: string }[] = [];
  private answer: Answer = (response) => response.writeHead(404).end();
  private readonly server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      this.requests.push({ method: request.method ?? '', url, body });
      this.answer(response, request);
    });
  });

  /** What every request is answered from now on. */
  answers(answer: Answer): void {
    this.answer = answer;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const address = this.server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
