import { Agent, get } from 'node:http';

/** Asks a service how it is, a thousand times a second, as many probes at once; notes every change of the answer. */
export class Prober {
  asked = 0;
  failed = 0;
  /** Of each path the statuses that were answered, without repetitions. */
  seen = { '/health/live': [], '/health/ready': [] };
  #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  #timer;

  constructor(port, perSecond = 1_000) {
    const paths = Object.keys(this.seen);
    const began = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - began) * perSecond) / 1_000;
      while (this.asked < due) this.#ask(port, paths[this.asked++ % paths.length]);
    }, 1);
  }

  /** How often each answer changed. */
  flips(path) {
    return this.seen[path].length - 1;
  }

  stop() {
    clearInterval(this.#timer);
    this.#agent.destroy();
  }

  #ask(port, path) {
    const request = get({ host: '127.0.0.1', port, path, agent: this.#agent }, (answer) => {
      const seen = this.seen[path];
      if (seen.at(-1) !== answer.statusCode) seen.push(answer.statusCode);
      answer.resume();
    });
    request.on('error', () => this.failed++);
  }
}
