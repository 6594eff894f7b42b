import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

type Info = Record<string, unknown> & { instanceId: string; status: string };

/**
 * A Eureka server of our own that speaks the protocol as it is documented, without its caches: the real one is a Java
 * program that cannot run in these tests.
 */
export class EurekaServer {
  /** Every request, such as `PUT /apps/ORDERS/orders-1`. */
  readonly requests: string[] = [];
  /** Whether deltas tell a hash that does not fit, as after a lost update. */
  lies = false;
  private readonly apps = new Map<string, Map<string, Info>>();
  private readonly beats = new Map<string, number>();
  private changes: { app: string; info: Info; actionType: string }[] = [];
  private readonly server = createServer((request, response) => void this.take(request, response));

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    const address = this.server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/eureka`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  forget(): void {
    for (const [app, infos] of this.apps) for (const info of infos.values()) this.drop(app, info);
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) body += chunk;
    this.evict();
    const path = decodeURIComponent((request.url ?? '').replace('/eureka', ''));
    this.requests.push(`${request.method ?? ''} ${path}`);
    const [, , app = '', id = ''] = path.split('/');
    if (request.method === 'GET') return this.read(path, response);
    const status = this.write(request.method ?? '', { app, id, body });
    response.writeHead(status).end();
  }

  private write(method: string, { app, id, body }: { app: string; id: string; body: string }) {
    const infos = this.apps.get(app) ?? new Map<string, Info>();
    if (method === 'POST') {
      const { instance } = JSON.parse(body) as { instance: Info };
      const actionType = infos.has(instance.instanceId) ? 'MODIFIED' : 'ADDED';
      this.apps.set(app, infos.set(instance.instanceId, instance));
      this.beats.set(instance.instanceId, Date.now());
      this.changes.push({ app, info: instance, actionType });
      return 204;
    }
    const info = infos.get(id);
    if (!info) return 404;
    if (method === 'PUT') this.beats.set(id, Date.now());
    else this.drop(app, info);
    return 200;
  }

  private drop(app: string, info: Info): void {
    this.apps.get(app)?.delete(info.instanceId);
    this.changes.push({ app, info, actionType: 'DELETED' });
  }

  /** Java evicts once a minute; here a lease ends when its time is over. */
  private evict(): void {
    for (const [app, infos] of this.apps) {
      for (const info of infos.values()) {
        const { durationInSecs } = info['leaseInfo'] as { durationInSecs: number };
        const beat = this.beats.get(info.instanceId) ?? 0;
        if (Date.now() - beat > durationInSecs * 1_000) this.drop(app, info);
      }
    }
  }

  private read(path: string, response: ServerResponse): void {
    const groups = new Map<string, Info[]>();
    const add = (app: string, info: Info) => groups.set(app, [...(groups.get(app) ?? []), info]);
    if (path.endsWith('/delta')) {
      for (const { app, info, actionType } of this.changes) add(app, { ...info, actionType });
    } else {
      for (const [app, infos] of this.apps) for (const info of infos.values()) add(app, info);
    }
    // The server keeps changes for three minutes; clients see them more than once.
    this.changes = this.changes.slice(-200);
    const application = [...groups].map(([name, list]) => ({
      name,
      // As the real one does: one alone comes without its list.
      instance: list.length === 1 ? list[0] : list,
    }));
    const applications = {
      versions__delta: '1',
      apps__hashcode: this.lies ? 'UP_99_' : this.hash(),
      application: application.length === 1 ? application[0] : application,
    };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ applications }));
  }

  private hash(): string {
    const counts = new Map<string, number>();
    for (const infos of this.apps.values()) {
      for (const { status } of infos.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    return [...counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([status, count]) => `${status}_${count}_`)
      .join('');
  }
}
