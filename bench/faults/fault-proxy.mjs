// A TCP proxy that can be told to swallow everything, to reset every connection, or to refuse.
import { connect, createServer } from 'node:net';

export class FaultProxy {
  #mode = 'pass';
  #pairs = new Set();
  #server = createServer((client) => this.#onConnection(client));

  /** @param target the port that is stood before */
  constructor(target) {
    this.target = target;
  }

  async listen(port = 0) {
    await new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.port = this.#server.address().port;
    return this;
  }

  /** `pass`, `blackhole`, `reset` or `refuse`. */
  async become(mode) {
    const before = this.#mode;
    this.#mode = mode;
    if (mode === 'refuse') {
      const closed = new Promise((resolve) => this.#server.close(resolve));
      this.#reset();
      await closed;
    } else if (before === 'refuse') {
      this.#server = createServer((client) => this.#onConnection(client));
      await this.listen(this.port);
    } else if (mode === 'reset') this.#reset();
    else if (mode === 'pass')
      for (const { client, server } of this.#pairs) {
        client.resume();
        server?.resume();
      }
  }

  close() {
    this.#server.close();
    this.#reset();
  }

  #reset() {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server?.destroy();
    }
  }

  #onConnection(client) {
    const pair = { client, server: undefined };
    this.#pairs.add(pair);
    client.on('error', () => {});
    client.on('close', () => {
      this.#pairs.delete(pair);
      pair.server?.destroy();
    });
    if (this.#mode === 'reset') {
      // Once something was sent: the caller cannot know what became of it.
      client.once('data', () => client.resetAndDestroy());
      return;
    }
    const server = (pair.server = connect(this.target, '127.0.0.1'));
    server.on('error', () => client.resetAndDestroy());
    server.on('close', () => client.destroy());
    client.on('data', (bytes) => this.#carry(bytes, client, server));
    server.on('data', (bytes) => this.#carry(bytes, server, client));
  }

  /** What comes into a black hole stays in the sockets until it is over, as it does on a network that lost its way. */
  #carry(bytes, from, to) {
    if (this.#mode === 'blackhole') {
      from.pause();
      from.unshift(bytes);
      return;
    }
    to.write(bytes);
  }
}
