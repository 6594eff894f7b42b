import { strict as assert } from 'node:assert';
import type { Shop } from './shop.js';

interface Order {
  readonly id: string;
  readonly status: string;
}

interface Listing {
  readonly servedBy: string;
  readonly banner: string;
}

/** Someone who uses the shop through its gateway. */
export class Caller {
  constructor(private readonly url: string) {}

  get(path: string): Promise<Response> {
    return fetch(this.url + path, { signal: AbortSignal.timeout(10_000) });
  }

  async order(
    order: { sku: string; quantity: number },
    headers: Record<string, string> = {},
  ): Promise<Order> {
    const answer = await fetch(`${this.url}/api/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(order),
      signal: AbortSignal.timeout(10_000),
    });
    assert.equal(answer.status, 201, `an order was answered ${answer.status}`);
    return (await answer.json()) as Order;
  }

  async orderOf(id: string): Promise<Order> {
    return (await (await this.get(`/api/orders/${id}`)).json()) as Order;
  }

  async stockOf(sku: string): Promise<number> {
    return ((await (await this.get(`/api/stock/${sku}`)).json()) as { available: number })
      .available;
  }

  async servedBy(): Promise<string> {
    return (await this.listing()).servedBy;
  }

  /** Whether several answers in a row, from all instances, pass a test. */
  async everyInstanceSays(test: (answer: Listing) => boolean): Promise<boolean> {
    const answers = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(() => this.listing()));
    return answers.every(test);
  }

  /** The states of all circuits that the instances of orders know. */
  async circuits(shop: Shop): Promise<string[]> {
    const found: string[] = [];
    for (const name of ['orders-1', 'orders-2']) {
      const answer = await fetch(`${shop.get(name).address}/health`);
      for (const [, state = ''] of (await answer.text()).matchAll(/"(closed|open|half-open)"/g)) {
        found.push(state);
      }
    }
    return found;
  }

  /**
   * 500 GETs one after the other, and 500 by 25 callers beside it, while something happens; says how many failed.
   *
   * Many more at once can be too much for the one instance that is left on a small machine, and are refused as an overload.
   */
  async load(happening: () => Promise<void>): Promise<{ total: number; failed: number }> {
    let failed = 0;
    const callOften = async (times: number) => {
      for (let n = 0; n < times; n++) {
        const answer = await this.get('/api/orders').catch(() => undefined);
        await answer?.arrayBuffer();
        if (answer?.status !== 200) failed++;
      }
    };
    const beside = Array.from({ length: 25 }, () => callOften(20));
    const running = Promise.all([callOften(500), ...beside]);
    await happening();
    await running;
    return { total: 1_000, failed };
  }

  private async listing(): Promise<Listing> {
    return (await (await this.get('/api/orders')).json()) as Listing;
  }
}
