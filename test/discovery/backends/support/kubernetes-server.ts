import { createServer, type ServerResponse } from 'node:http';

export interface Slice {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly addressType: string;
  readonly ports: readonly object[];
  readonly endpoints: readonly object[];
}

/**
 * The part of the Kubernetes API that lists and watches EndpointSlices, as it is documented: the real one cannot run in these
 * tests.
 */
export class KubernetesServer {
  readonly requests: { readonly url: URL; readonly authorization: string | undefined }[] = [];
  /** Versions before this one are not kept: who watches from there hears 410. */
  oldest = 0;
  /** Answers everything with this status, if it is set. */
  status: number | undefined;
  private version = 100;
  private readonly slices = new Map<string, Slice>();
  private readonly history: { readonly version: number; readonly line: string }[] = [];
  private readonly watches = new Set<ServerResponse>();
  private readonly server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    this.requests.push({ url, authorization: request.headers.authorization });
    if (this.status !== undefined) response.writeHead(this.status).end('{"message":"no"}');
    else if (url.searchParams.get('watch') === '1') this.watch(url, response);
    else this.list(url, response);
  });

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    const address = this.server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  put(slice: Slice): void {
    const known = this.slices.has(slice.metadata.name);
    const stored = this.store(slice);
    this.slices.set(slice.metadata.name, stored);
    this.send(known ? 'MODIFIED' : 'ADDED', stored);
  }

  remove(name: string): void {
    const slice = this.slices.get(name);
    this.slices.delete(name);
    if (slice) this.send('DELETED', this.store(slice));
  }

  bookmark(): void {
    this.version += 50;
    this.send('BOOKMARK', { metadata: { resourceVersion: String(this.version) } });
  }

  /** Forgets its history, and tells those who watch so: `event` in the stream, or `end` by ending it. */
  expire(how: 'event' | 'end'): void {
    this.oldest = this.version += 10;
    const said = { kind: 'Status', code: 410, message: 'too old' };
    const line = `${JSON.stringify({ type: 'ERROR', object: said })}\n`;
    for (const watch of this.watches) if (how === 'event') watch.write(line);
    for (const watch of this.watches) watch.end();
    this.watches.clear();
  }

  private store(slice: Slice): Slice {
    const resourceVersion = String(++this.version);
    return { ...slice, metadata: { ...slice.metadata, resourceVersion } };
  }

  private send(type: string, object: object): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    this.history.push({ version: this.version, line });
    for (const watch of this.watches) watch.write(line);
  }

  private list(url: URL, response: ServerResponse): void {
    const from = Number(url.searchParams.get('continue') ?? 0);
    // Pages of two, so that every list has several.
    const items = [...this.slices.values()].slice(from, from + 2);
    const more = from + 2 < this.slices.size;
    const metadata = {
      resourceVersion: String(this.version),
      ...(more && { continue: String(from + 2) }),
    };
    response.writeHead(200).end(JSON.stringify({ kind: 'EndpointSliceList', metadata, items }));
  }

  private watch(url: URL, response: ServerResponse): void {
    const from = Number(url.searchParams.get('resourceVersion'));
    if (from < this.oldest) {
      return void response.writeHead(410).end('{"code":410,"message":"too old resource version"}');
    }
    response.writeHead(200).flushHeaders();
    // What has happened between the list and the watch is told first.
    for (const { version, line } of this.history) if (version > from) response.write(line);
    this.watches.add(response);
    response.on('close', () => this.watches.delete(response));
  }
}

/** A slice of a service with pods that are as a test says. */
export function sliceOf(
  service: string,
  endpoints: readonly object[],
  fields: Partial<Slice> = {},
): Slice {
  return {
    metadata: {
      name: `${service}-abc`,
      labels: { 'kubernetes.io/service-name': service, 'app.kubernetes.io/version': '1.2.3' },
    },
    addressType: 'IPv4',
    ports: [
      { name: 'grpc', port: 5_000, protocol: 'TCP' },
      { name: 'http', port: 3_000, protocol: 'TCP' },
    ],
    endpoints,
    ...fields,
  };
}
