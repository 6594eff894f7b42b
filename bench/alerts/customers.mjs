import { setTimeout as pause } from 'node:timers/promises';

const ORDER = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ sku: 'apple', quantity: 1 }),
};
const ASKS = [['/api/orders'], ['/api/orders', ORDER], ['/api/payments']];

/** Twenty requests a second, a third of them orders, which ask inventory and tell payments. */
export class Customers {
  asked = 0;
  failed = 0;
  #open = true;
  #done;

  constructor(url) {
    this.#done = this.#buy(url);
  }

  async leave() {
    this.#open = false;
    await this.#done;
  }

  async #buy(url) {
    while (this.#open) {
      void this.#ask(url, ASKS[this.asked++ % ASKS.length]);
      await pause(50);
    }
  }

  async #ask(url, [path, init]) {
    try {
      const answer = await fetch(url + path, { ...init, signal: AbortSignal.timeout(10_000) });
      await answer.arrayBuffer();
      if (!answer.ok) this.failed++;
    } catch {
      this.failed++;
    }
  }
}
