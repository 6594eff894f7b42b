// Requests at a steady rate that does not wait for answers: what waits behind a slow one counts as slow too.
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

export class Load {
  /** Each finished request: when it was due, in ms since the start, its status (0 for none), and how long it took. */
  results = [];
  #agent = new Agent({ keepAlive: true, maxSockets: 4_000 });
  #pending = 0;
  #stopped = false;
  #running;

  /** @param options port, rate per second, and `make(n)`, which gives method, path, headers and body */
  constructor({ port, rate, make = () => ({ path: '/shop/item' }), timeout = 15_000 }) {
    Object.assign(this, { port, rate, make, timeout });
  }

  start() {
    this.began = performance.now();
    this.#running = this.#run();
    return this;
  }

  /** The time of the load, in ms. */
  get now() {
    return performance.now() - this.began;
  }

  /** No further requests; waits for those under way. */
  async stop() {
    this.#stopped = true;
    await this.#running;
    while (this.#pending > 0) await pause(20);
    this.#agent.destroy();
    return this;
  }

  /** The requests that were due between two times, in ms. */
  between(from, to = Number.POSITIVE_INFINITY) {
    return this.results.filter(({ due }) => due >= from && due < to);
  }

  async #run() {
    const gap = 1_000 / this.rate;
    for (let number = 0; !this.#stopped;) {
      while (number * gap <= this.now) this.#send(number, number++ * gap);
      await pause(1);
    }
  }

  #send(number, due) {
    const { method = 'GET', path, headers, body } = this.make(number);
    const end = (status, error) => {
      if (ended) return;
      ended = true;
      this.#pending--;
      this.results.push({ due, number, method, status, took: this.now - due, error });
    };
    let ended = false;
    this.#pending++;
    const outgoing = request(
      { host: '127.0.0.1', port: this.port, agent: this.#agent, method, path, headers },
      (answer) => {
        answer.resume();
        answer.on('end', () => end(answer.statusCode));
        answer.on('error', (error) => end(0, error.code));
        answer.on('close', () => end(0, 'cut off'));
      },
    );
    outgoing.setTimeout(this.timeout, () => outgoing.destroy(new Error('timed out')));
    outgoing.on('error', (error) => {
      // A kept connection that the server closed as the request went out; every client asks again then.
      if (outgoing.reusedSocket && error.code === 'ECONNRESET' && method === 'GET' && !ended) {
        ended = true;
        this.#pending--;
        return this.#send(number, due);
      }
      end(0, error.code ?? error.message);
    });
    outgoing.end(body);
  }
}

/** The value below which so many hundredths lie. */
export function percentile(results, share) {
  const sorted = results.map(({ took }) => took).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export const failed = (results) => results.filter(({ status }) => status < 200 || status > 299);

/** Statuses and errors with how often each came. */
export function tally(results) {
  const counts = {};
  for (const { status, error } of results) {
    const name = status === 0 ? `no answer (${error})` : String(status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return Object.entries(counts)
    .map(([name, count]) => `${count} x ${name}`)
    .join(', ');
}
