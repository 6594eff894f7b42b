import { Agent, request } from 'node:http';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { GatewayRoutes } from '../../../lib/gateway/gateway-routes.js';
import { Bell } from '../../../lib/gateway/routes/bell.js';
import type { RouteDefinition } from '../../../lib/gateway/routes/route-definition.js';
import { type RouteSnapshot, RouteSource } from '../../../lib/gateway/routes/route-source.js';
import { eventually } from '../../support/eventually.js';
import { FilteredGateway } from '../filters/filtered-gateway.js';
import { WAYS } from '../support/nest-colony.js';

/** Says what it is told. */
class ToldSource extends RouteSource {
  override readonly name = 'a test';
  private readonly bell = new Bell();
  private told: readonly RouteDefinition[] = [];

  tell(routes: readonly RouteDefinition[]): void {
    this.told = routes;
    this.bell.ring();
  }

  override async *routes(signal: AbortSignal): AsyncGenerator<RouteSnapshot> {
    while (!signal.aborted) {
      yield { kind: 'explicit', routes: this.told };
      await this.bell.wait(signal);
    }
  }
}

let fixture: FilteredGateway;
let agent: Agent;
beforeEach(() => {
  fixture = new FilteredGateway();
  agent = new Agent({ keepAlive: true });
});
afterEach(async () => {
  agent.destroy();
  await fixture.close();
});

/** The status of an answer; what is lost has none. */
function statusOf(url: string): Promise<number | string> {
  return new Promise((resolve) => {
    request(url, { agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    })
      .on('error', ({ message }) => resolve(message))
      .end();
  });
}

it.each(WAYS)(
  'no request is lost while all other routes change, on $adapter by $way',
  async ({ adapter, fastLane }) => {
    const to = await fixture.upstream((_seen, response) => response.end('ok'));
    const source = new ToldSource();
    const build = (number: number): readonly RouteDefinition[] => [
      { path: '/kept', to },
      ...Array.from({ length: 100 }, (_, at) => ({ path: `/${number}/resource-${at}/:id`, to })),
    ];
    source.tell(build(0));
    const { url, app } = await fixture.gateway([], { sources: [source], fastLane }, { adapter });
    const routes = app.get(GatewayRoutes);
    const statuses: (number | string)[] = [];
    const over = new AbortController();
    const client = async () => {
      while (!over.signal.aborted) statuses.push(await statusOf(`${url}/kept`));
    };
    const clients = Array.from({ length: 3 }, client);
    for (let number = 1; number <= 5; number++) {
      const before = statuses.length;
      source.tell(build(number));
      await eventually(() => {
        expect(routes.explain({ url: `/${number}/resource-99/1` }).decision).toBe('route');
        expect(statuses.length).toBeGreaterThan(before + 3);
      });
    }
    over.abort();
    await Promise.all(clients);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(routes.explain({ url: '/4/resource-99/1' }).decision).toBe('none');
  },
);
